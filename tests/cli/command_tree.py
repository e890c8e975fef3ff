"""Every command and every parameter of it, as the parser knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from typer.main import get_command

from nas.cli.main import app


class Parameter(NamedTuple):
    """One option or argument of a command.

    Attributes:
        command: the words that name the command.
        option: how the option is written; None for an argument.
        name: as the function of the command calls it.
        is_flag: whether it takes no value.
        parser: of the command.
    """

    command: tuple[str, ...]
    option: str | None
    name: str
    is_flag: bool
    parser: Any

    def __str__(self) -> str:
        return f"{' '.join(self.command)} {self.option or self.name}"


def parameters() -> list[Parameter]:
    """Those of all commands, help left out."""
    return list(_walk(get_command(app), ()))


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[Parameter]:
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _walk(inner, (*words, name))
    if words and not hasattr(command, "commands"):
        for one in command.params:
            if one.name != "help":
                option = max(one.opts, key=len) if one.param_type_name == "option" else None
                yield Parameter(words, option, one.name, bool(getattr(one, "is_flag", False)), command)
