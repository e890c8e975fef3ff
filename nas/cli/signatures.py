"""Commands that offer more than their functions take: typer reads options from a signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import get_type_hints

Command = Callable[..., None]


def parameters_of(run: Callable[..., object]) -> list[inspect.Parameter]:
    """What a function takes, with types instead of their names."""
    hints = get_type_hints(run, include_extras=True)
    return [one.replace(annotation=hints[one.name]) for one in inspect.signature(run).parameters.values()]


def offering(run: Command, parameters: Sequence[inspect.Parameter]) -> Command:
    """The function, of which typer now thinks that it takes these parameters, all by their names."""
    keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
