"""`--plugin`, the same for every command that reads architectures or spaces: loaded before the command begins."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Annotated, Any

import typer

from nas import plugins
from nas.cli.signatures import Command, offering, parameters_of

Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE|MODULE",
        help="A file (my_mixers.py) or an installed module that registers parts; its code is run. Repeatable.",
    ),
]


def with_plugins(run: Command) -> Command:
    """The command with the option `--plugin`."""

    @wraps(run)
    def loaded(*, plugin: Any = None, **options: Any) -> None:
        for reference in plugin or ():
            plugins.load(reference)
        run(**options)

    option = inspect.Parameter("plugin", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Plugins)
    return offering(loaded, [*parameters_of(run), option])
