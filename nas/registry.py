"""Names to things: the one mechanism by which YAML words, command-line words and plug-ins become code."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from nas import plugins
from nas.errors import UnknownNameError, UserError

T = TypeVar("T")


_LONGEST = 100  # characters of a name that is compared with others


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The half sentence that follows 'unknown …': the nearest known name, or all of them.

    >>> did_you_mean("layernrm", ["batchnorm", "layernorm"])
    "did you mean 'layernorm'?"
    """
    names = {_plain(one): one for one in known}
    near = difflib.get_close_matches(_plain(name)[:_LONGEST], names, n=1)
    return f"did you mean {names[near[0]]!r}?" if near else f"known: {', '.join(names.values()) or 'none'}"


def _plain(name: str) -> str:
    """A name without what people do not remember of it: capitals, and which of '-', '_' and ' ' it has."""
    return str(name).casefold().replace("-", "_").replace(" ", "_")


class Registry(Generic[T]):
    """Things of one kind under the names users write; keeps the order of registration."""

    def __init__(self, kind: str) -> None:
        """Make an empty registry; `kind` is the word error messages use, such as 'mixer'."""
        self.kind = kind
        self._things: dict[str, T] = {}
        self._plugins: dict[str, str] = {}

    def register(self, name: str, *, module: str | None = None) -> Callable[[T], T]:
        """Decorator that puts a thing under `name`; a second thing under the same name is a defect, or a plug-in's.

        Args:
            name: as users write it.
            module: where the thing was made; default: its own `__module__`.
        """

        def put(thing: T) -> T:
            plugin = plugins.owner(module or str(getattr(thing, "__module__", "")))
            if name in self._things:
                raise self._taken(name, plugin)
            self._things[name] = thing
            if plugin is not None:
                self._plugins[name] = plugin
                plugins.on_failure(lambda: self._forget(name))
            return thing

        return put

    def plugin_of(self, name: str) -> str | None:
        """The plug-in that registered `name`; None for what the program brings along."""
        return self._plugins.get(name)

    def _taken(self, name: str, plugin: str | None) -> Exception:
        if plugin is None:
            return ValueError(f"{self.kind} {name!r} is registered twice")
        owner = self._plugins.get(name)
        whose = "built in" if owner is None else f"of the plug-in {owner}"
        return UserError(f"there is a {self.kind} {name!r} already, {whose}; give yours another name")

    def _forget(self, name: str) -> None:
        del self._things[name], self._plugins[name]

    def __getitem__(self, name: str) -> T:
        """The thing under `name`; raises UnknownNameError with the nearest known name."""
        if name not in self:
            raise UnknownNameError(f"unknown {self.kind} {name!r}; {did_you_mean(name, self)}")
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a thing; installed plug-ins are looked through before it is said that there is not."""
        if not isinstance(name, str):
            return False
        return name in self._things or (plugins.load_installed() and name in self._things)

    def items(self) -> Iterable[tuple[str, T]]:
        """Pairs of name and thing, in the order of registration."""
        return self._things.items()
