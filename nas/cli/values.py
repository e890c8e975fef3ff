"""What every value of a command line must be, whichever command it is for: checked once, before the command begins.

An unset variable of a shell (`--data "$DATA"`) arrives as an empty text, and must not mean the default.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from typer.core import TyperCommand

from nas.errors import UserError, shortened

_LONGEST = 4096  # characters of one argument; the longest path of Linux
_LARGEST = 2**63 - 1
_WORDS = {"int": "N", "float": "X", "path": "PATH"}


class CheckedCommand(TyperCommand):
    """A command that refuses values which no option of any command can have, and names in its help what it takes."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """As the parser makes it."""
        super().__init__(*arguments, **settings)
        for parameter in self.params:
            if parameter.param_type_name == "argument" and parameter.metavar:
                parameter.metavar = re.sub(r"[\[\]]", "", parameter.metavar)  # the parser knows what may be left out
            elif parameter.metavar is None:
                parameter.metavar = "" if getattr(parameter, "is_flag", False) else _word(parameter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; raises UserError besides what the parser raises."""
        if ctx.resilient_parsing:  # half a command line, to be completed
            return list(super().parse_args(ctx, args))
        for argument in args:
            if len(argument) > _LONGEST:
                raise UserError(f"an argument of {len(argument):,} characters, {shortened(argument)}; it is too long")
        written, _, _ = self.make_parser(ctx).parse_args(list(args))  # a `Path` would make a dot of nothing
        self._check(written, _text_problem)
        rest: list[str] = super().parse_args(ctx, args)
        self._check(ctx.params, _number_problem)
        return rest

    def _check(self, values: Mapping[str, Any], problem_of: Callable[[Any], str | None]) -> None:
        for parameter in self.params:
            for value in _each(values.get(str(parameter.name))):
                problem = problem_of(value)
                if problem is not None:
                    raise UserError(f"{_called(parameter)}: {problem}")


def paragraphs(text: str | None) -> str:
    """A docstring with the line breaks inside its paragraphs gone, as a help of any width needs it."""
    parts = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)


def _word(parameter: Any) -> str:
    """What an option's value is called in a help; how an option knows its type differs between releases of typer."""
    described = getattr(parameter, "type_descriptor", None)
    kind = str(getattr(parameter, "type", "") if described is None else described.annotation).lower()
    return next((word for name, word in _WORDS.items() if name in kind), "TEXT")


def _each(value: Any) -> Iterator[Any]:
    """The values of a parameter that may be repeatable."""
    if isinstance(value, list | tuple):
        yield from value
    elif value is not None:
        yield value


def _number_problem(value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is no number to work with; give a finite one"
    if isinstance(value, int) and abs(value) > _LARGEST:
        return f"{shortened(str(value))} is too large"
    return None


def _text_problem(text: Any) -> str | None:
    if not isinstance(text, str):  # a flag
        return None
    if not text.strip():
        return "the value is empty (a variable that is not set?); give one, or leave the option out for its default"
    if "\0" in text:
        return f"{shortened(text)} has a NUL character in it"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"{shortened(text)} is no text in UTF-8"
    return None


def _called(parameter: Any) -> str:
    """A parameter's name as one writes it."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name).strip("[].").upper()
    return str(max(parameter.opts, key=len))
