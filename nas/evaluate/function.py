"""Somebody's own training as a function: found by its name, checked, and made ready to travel to workers.

`MODULE:FUNCTION` or `FILE.py:FUNCTION`, with arguments as in a URL if it takes some: `my_package.train:score?lr=0.1`.
In Python a function itself will do, or a `functools.partial` of one with keywords. It is called as

    function(architecture, *, job, report, **arguments) -> accuracy, or {"accuracy": ...}

by the workers, and what it is called, its version and its arguments are part of an evaluation's key: results of
different trainings never mix. A version is the `__version__` of the function, else that of its module, else a hash of
the module's text; other modules that the function uses do not count, so set `__version__` where they matter.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import pickle
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

import cloudpickle

from nas.errors import UserError
from nas.evaluate.shipped import Shipped, shipped_file, shipped_module
from nas.records import Plain

Evaluate = str | Callable[..., object]
"""How somebody says what trains: by its name, or by the function itself."""

_FILE_PREFIX = "nas_evaluate_"  # of a file's name among the modules, where it must not hide an installed one
_DIGITS = 12

OF_FUNCTION = "`__version__` of the function"
OF_MODULE = "`__version__` of its module"
OF_SOURCE = "hash of its source"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateFunction:
    """Which function trains; what of it makes one result comparable with another.

    Attributes:
        reference: how it is found again, with its arguments.
        name: `MODULE:FUNCTION`; of a file, its name without `.py`.
        version: see the module.
        version_is: where that is from, in words.
        arguments: that it is called with, beside what everybody's is.
    """

    reference: str
    name: str
    version: str
    version_is: str
    arguments: Mapping[str, Plain] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{name}={json.dumps(value)}" for name, value in self.arguments.items())
        return f"{self.name}{f'({said})' if said else ''} {self.version} ({self.version_is})"

    @property
    def identity(self) -> list[Plain]:
        """What another training differs in."""
        return [self.name, self.version, dict(self.arguments)]

    def to_dict(self) -> dict[str, Plain]:
        """Plain data for the ledger."""
        return {
            "reference": self.reference,
            "name": self.name,
            "version": self.version,
            "version_is": self.version_is,
            "arguments": dict(self.arguments),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """How a worker gets at a function.

    Attributes:
        module, function: where it is, by name; empty for one that travels itself.
        shipped: the text of its module, where it is not installed.
        pickled: a function of a main program or a notebook, which no other process can import.
    """

    module: str = ""
    function: str = ""
    shipped: Shipped | None = None
    pickled: bytes = b""

    def load(self) -> Callable[..., object]:
        """The function; raises what importing it raises."""
        if self.pickled:
            found: Callable[..., object] = pickle.loads(self.pickled)  # this program's own function
            return found
        if self.shipped is not None:
            self.shipped.install()
        return _attribute(importlib.import_module(self.module), self.function)


class Found(NamedTuple):
    """A function, and how it travels."""

    function: EvaluateFunction
    code: Code


def find_function(asked: Evaluate, folders: Sequence[Path] = ()) -> Found:
    """The function that somebody names or hands over; its module is imported, and so its code is run.

    Args:
        asked: a reference, or the function itself.
        folders: where files and modules are looked for first; the working directory comes after them.

    Raises:
        UserError: it cannot be found, imported, called or sent to a worker; the message says where it was looked for.
    """
    found = _named(asked, (*folders, Path())) if isinstance(asked, str) else _given(asked)
    if not isinstance(asked, str) or not found.code.pickled:
        _require_callable(found)
    return found


# By its name.


def _named(reference: str, folders: Sequence[Path]) -> Found:
    place, mark, query = reference.rpartition("?")
    if not mark:
        place, query = reference, ""
    target, colon, name = place.rpartition(":")
    if not colon or not target or not name:
        raise UserError(
            f"evaluate {reference}: write MODULE:FUNCTION or FILE.py:FUNCTION, as in my_package.train:score"
        )
    arguments = _arguments(reference, query)
    if target == "__main__":
        return _given(partial(_in_main(reference, name), **arguments))
    if target.endswith(".py"):
        path = next((one for folder in folders if (one := folder / target).is_file()), folders[-1] / target)
        module = _FILE_PREFIX + path.stem
        code = Code(module=module, function=name, shipped=shipped_file(path, module))
        label = f"{path.stem}:{name}"
    else:
        code = Code(module=target, function=name, shipped=_shipped(reference, target, folders))
        label = f"{target}:{name}"
    function = _imported(reference, code)
    version, version_is = _version(function, code)
    return Found(
        EvaluateFunction(reference=reference, name=label, version=version, version_is=version_is, arguments=arguments),
        code,
    )


def _arguments(reference: str, query: str) -> dict[str, Plain]:
    """Numbers, true, false, null and lists as in JSON; anything else is text."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise UserError(
            f"evaluate {reference}: cannot read the arguments {query!r}; write them like ?lr=0.1&width=8"
        ) from None
    arguments = {}
    for name, text in pairs:
        if name in arguments:
            raise UserError(f"evaluate {reference}: the argument {name!r} is given twice; leave one of them out")
        try:
            arguments[name] = json.loads(text)
        except ValueError:
            arguments[name] = text
    return arguments


def _shipped(reference: str, module: str, folders: Sequence[Path]) -> Shipped:
    found = shipped_module(module, folders)
    if found is None:
        places = ", ".join(dict.fromkeys(str(folder.absolute()) for folder in folders))
        raise UserError(
            f"evaluate {reference}: no module {module.partition('.')[0]!r} in {places}, and none is installed here; "
            "name a file as in train.py:score, go to its folder, or install it"
        )
    return found


def _imported(reference: str, code: Code) -> Callable[..., object]:
    try:
        return code.load()
    except ModuleNotFoundError as error:
        where = "" if code.shipped is None or not code.shipped.folder else f" (found in {code.shipped.folder})"
        raise UserError(f"evaluate {reference}{where}: {error}{_line(error)}") from None
    except _NoSuchFunction as error:
        raise UserError(f"evaluate {reference}: {error}") from None
    except Exception as error:  # whatever somebody's module does
        raise UserError(
            f"evaluate {reference}: importing it failed: {type(error).__name__}: {error}{_line(error)}"
        ) from error


def _line(error: BaseException) -> str:
    """Where in somebody's module it happened."""
    if isinstance(error, SyntaxError):
        return ""  # it says so itself
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith("<frozen")]
    own = [one for one in frames if Path(one.filename) not in (Path(__file__), Path(importlib.__file__))]
    return f", at {own[-1].filename}:{own[-1].lineno}" if own else ""


class _NoSuchFunction(Exception):
    """A module lacks what was asked for, or it is nothing to call."""


def _attribute(module: ModuleType, path: str) -> Callable[..., object]:
    found: object = module
    for step in path.split("."):
        if not hasattr(found, step):
            names = [name for name, one in vars(module).items() if inspect.isfunction(one) and name[0] != "_"]
            raise _NoSuchFunction(f"there is no {path!r} in it; functions there: {', '.join(names) or 'none'}")
        found = getattr(found, step)
    if not callable(found):
        raise _NoSuchFunction(f"{path!r} is no function but {type(found).__name__}")
    return found


def _in_main(reference: str, name: str) -> Callable[..., object]:
    try:
        return _attribute(sys.modules["__main__"], name)
    except _NoSuchFunction:
        raise UserError(
            f"evaluate {reference}: it was written in a notebook or a program, and there is no {name!r} in this one; "
            "hand the function over, as in study.search(evaluate=score)"
        ) from None


# Itself.


def _given(asked: Callable[..., object]) -> Found:
    function, arguments = _unwrapped(asked)
    if not isinstance(function, FunctionType):
        raise UserError(f"evaluate takes a function, its name, or a functools.partial of one; got {asked!r:.100}")
    module, name = function.__module__, function.__qualname__
    label = f"{module}:{name}"
    code = _code_of(function, label)
    version, version_is = _version(function, code)
    return Found(
        EvaluateFunction(
            reference=_reference(label, arguments),
            name=label,
            version=version,
            version_is=version_is,
            arguments=arguments,
        ),
        code,
    )


def _unwrapped(asked: Callable[..., object]) -> tuple[Callable[..., object], dict[str, Plain]]:
    """The function of a partial, and its keywords."""
    arguments: dict[str, Any] = {}
    while isinstance(asked, partial):
        if asked.args:
            raise UserError("evaluate: a functools.partial of a training binds keywords only, as in partial(f, lr=0.1)")
        arguments = {**asked.keywords, **arguments}
        asked = asked.func
    for name, value in arguments.items():
        try:
            is_plain = json.loads(json.dumps(value)) == value
        except (TypeError, ValueError):
            is_plain = False
        if not is_plain:
            raise UserError(
                f"evaluate: the argument {name} is {value!r:.80}; it is part of every result's key, so it has to be "
                "plain: numbers, text, lists and dicts with text as keys"
            )
    return asked, arguments


def _reference(label: str, arguments: Mapping[str, Plain]) -> str:
    pairs = [f"{quote(name)}={quote(json.dumps(value))}" for name, value in arguments.items()]
    return label + (f"?{'&'.join(pairs)}" if pairs else "")


def _code_of(function: FunctionType, label: str) -> Code:
    """By name where others can import it, or else the function itself."""
    if function.__module__ != "__main__" and _is_at_its_name(function):
        shipped = shipped_module(function.__module__, ())
        if shipped is not None:
            return Code(module=function.__module__, function=function.__qualname__, shipped=shipped)
    if function.__closure__:
        raise UserError(
            f"evaluate {label}: it uses variables of the function it was made in, which are no part of its results' "
            "key; give it arguments instead, as in functools.partial(score, lr=0.1)"
        )
    try:
        return Code(pickled=cloudpickle.dumps(function))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UserError(f"evaluate {label}: it cannot be sent to workers: {error}; put it into a module") from None


def _is_at_its_name(function: FunctionType) -> bool:
    """Whether whoever imports its module finds this very function."""
    try:
        return _attribute(sys.modules[function.__module__], function.__qualname__) is function
    except (KeyError, _NoSuchFunction):
        return False


# Its version.


def _version(function: Callable[..., object], code: Code) -> tuple[str, str]:
    said = getattr(function, "__version__", None)
    if said is not None:
        return str(said), OF_FUNCTION
    module = sys.modules.get(code.module or str(getattr(function, "__module__", "")))
    said = getattr(module, "__version__", None)
    if said is not None:
        return str(said), OF_MODULE
    return _hash(_source(function, code, module)), OF_SOURCE


def _source(function: Callable[..., object], code: Code, module: ModuleType | None) -> str:
    texts = {} if code.shipped is None else {one.name: one.source for one in code.shipped.texts}
    if code.module in texts:
        return texts[code.module]
    try:
        is_alone = code.pickled or module is None
        return _source_of_all({}, function) if is_alone else inspect.getsource(module)  # type: ignore[arg-type]
    except (OSError, TypeError):
        name = getattr(function, "__qualname__", str(function))
        raise UserError(
            f"evaluate: the source of {name} cannot be read, so nobody could tell when it changes; say its version, as "
            f'in {name}.__version__ = "1"'
        ) from None


def _source_of_all(seen: dict[str, str], function: object) -> str:
    """The text of a function with that of the functions and the plain values around it that it uses."""
    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is no function")
    seen[function.__qualname__] = inspect.getsource(function)
    for name in sorted(set(function.__code__.co_names) & function.__globals__.keys()):
        value = function.__globals__[name]
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            if value.__qualname__ not in seen:
                _source_of_all(seen, value)
        elif isinstance(value, bool | int | float | str | tuple | list | dict):
            seen[name] = repr(value)
    return json.dumps(seen)


def _hash(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:_DIGITS]


def _require_callable(found: Found) -> None:
    """Whether it takes what it is going to be called with; what cannot be known is not refused."""
    function = found.code.load()
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None, job=None, report=None, **found.function.arguments)
    except TypeError as error:
        said = "".join(f", {name}={json.dumps(value)}" for name, value in found.function.arguments.items())
        raise UserError(
            f"evaluate {found.function.reference}: it cannot be called as function(architecture, job=..., report=..."
            f"{said}): {error}"
        ) from None
