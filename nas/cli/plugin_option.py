"""`--plugin`, the same for every command that reads architectures or spaces: loaded before the command begins."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from nas import plugins

Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE|MODULE",
        help="A file (my_mixers.py) or an installed module that registers parts; its code is run. Repeatable.",
    ),
]


def with_plugins(run: Callable[..., None]) -> Callable[..., None]:
    """The command with the option `--plugin`."""

    @wraps(run)
    def loaded(*, plugin: Any = None, **options: Any) -> None:
        for reference in plugin or ():
            plugins.load(reference)
        run(**options)

    hints = get_type_hints(run, include_extras=True)
    given = [one.replace(annotation=hints[one.name]) for one in inspect.signature(run).parameters.values()]
    option = inspect.Parameter("plugin", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Plugins)
    loaded.__signature__ = inspect.Signature([*given, option])  # type: ignore[attr-defined]  # what typer reads
    loaded.__annotations__ = {**hints, "plugin": Plugins}
    return loaded
