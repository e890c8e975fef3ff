"""`--plugin`, the same for every command that reads architectures or spaces: loaded before the command begins."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

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

    signature = inspect.signature(run)
    option = inspect.Parameter("plugin", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Plugins)
    loaded.__signature__ = signature.replace(  # type: ignore[attr-defined]  # what `inspect.signature` reads
        parameters=[*signature.parameters.values(), option]
    )
    loaded.__annotations__ = {**run.__annotations__, "plugin": Plugins}
    return loaded
