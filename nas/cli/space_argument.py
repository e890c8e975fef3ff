"""The space of a command, as its first word or with `--space`: both mean the same."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Annotated, Any

import typer

from nas.cli.completion import spaces
from nas.cli.options import SpaceOption
from nas.cli.signatures import Command, offering, parameters_of
from nas.errors import UserError
from nas.schema.packaged import space_names

_Argument = Annotated[
    str | None,
    typer.Argument(
        metavar="SPACE",
        help="The space, as with --space.",
        autocompletion=spaces,
        show_default=False,
    ),
]


def with_space(run: Command) -> Command:
    """The command with the argument SPACE beside its option `--space`."""
    own = {one.name: one for one in parameters_of(run)}
    is_needed = own["space"].default is inspect.Parameter.empty

    @wraps(run)
    def placed(*, place: str | None = None, space: str | None = None, **options: Any) -> None:
        run(space=_only(place, space, is_needed=is_needed), **options)

    named = inspect.Parameter("place", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Argument)
    own["space"] = own["space"].replace(annotation=SpaceOption, default=None)
    return offering(placed, [named, *own.values()])


def _only(place: str | None, option: str | None, *, is_needed: bool) -> str | None:
    if place is not None and option is not None:
        raise UserError(f"the space is named twice, {place} and --space {option}; name it once")
    space = place or option
    if space is None and is_needed:
        raise UserError(f"which space? Name a file or a packaged one (packaged: {', '.join(space_names())})")
    return space
