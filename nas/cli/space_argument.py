"""The space of a command, as its first word or with `--space`: both mean the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from nas.cli.completion import spaces
from nas.cli.options import SpaceOption
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


def with_space(run: Callable[..., None]) -> Callable[..., None]:
    """The command with the argument SPACE beside its option `--space`."""
    parameters = inspect.signature(run).parameters
    is_needed = parameters["space"].default is inspect.Parameter.empty

    @wraps(run)
    def placed(*, place: str | None = None, space: str | None = None, **options: Any) -> None:
        run(space=_only(place, space, is_needed=is_needed), **options)

    hints = {**get_type_hints(run, include_extras=True), "space": SpaceOption}
    named = inspect.Parameter("place", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Argument)
    given = [
        one.replace(annotation=hints[name], default=None if name == "space" else one.default)
        for name, one in parameters.items()
    ]
    keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in given]
    placed.__signature__ = inspect.Signature([named, *keyword])  # type: ignore[attr-defined]  # what typer reads
    placed.__annotations__ = {**hints, "place": _Argument}
    return placed


def _only(place: str | None, option: str | None, *, is_needed: bool) -> str | None:
    if place is not None and option is not None:
        raise UserError(f"the space is named twice, {place} and --space {option}; name it once")
    space = place or option
    if space is None and is_needed:
        raise UserError(f"which space? Name a file or a packaged one (packaged: {', '.join(space_names())})")
    return space
