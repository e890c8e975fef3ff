"""`nas`: the entry point, and the only place where errors become exit codes.

0 done; 1 the work failed; 2 the user's input is wrong; 130 interrupted, resumable.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.main import get_command

import nas
from nas.cli import interrupts
from nas.cli.commands import (
    bench,
    cache,
    calibrate,
    check,
    compare,
    cost,
    diff,
    export,
    finetune,
    grammar,
    import_,
    latency,
    logs,
    pareto,
    presets,
    race,
    recipes,
    refine,
    sample,
    search,
    show,
    simulate,
    status,
    studies,
    train,
    trust,
)
from nas.cli.plugin_option import with_plugins
from nas.errors import NasError, UserError

FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

# The root of what the parser raises; typer has a click of its own, or not, depending on its version.
_UsageError: Any = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")

app = typer.Typer(
    name="nas",
    help="Explore the design space of modern ConvNets: a search space in YAML, a budget, a Pareto front, a winner.",
    epilog="Start with: nas search --space tiny --budget 30MFLOPs --data digits",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"nas {nas.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=lambda asked: _version(asked=asked), is_eager=True, help="Show the version."
    ),
) -> None:
    """Explore the design space of modern ConvNets: a search space in YAML, a budget, a Pareto front, a winner."""


# The commands that read architectures or spaces, whose parts may be of plug-ins.
_WITH_PARTS = (
    *("search", "check", "sample", "compare", "trust", "refine", "pareto", "show", "cost", "diff", "grammar"),
    *("export", "train", "finetune", "import"),
)

_SEARCHING, _LOOKING, _TAKING = "Searching", "Looking", "Taking a winner"
for _name, _run, _panel in (
    ("search", search.run, _SEARCHING),
    ("check", check.run, _SEARCHING),
    ("sample", sample.run, _SEARCHING),
    ("calibrate", calibrate.run, _SEARCHING),
    ("compare", compare.run, _SEARCHING),
    ("bench", bench.run, _SEARCHING),
    ("race", race.run, _SEARCHING),
    ("trust", trust.run, _SEARCHING),
    ("refine", refine.run, _SEARCHING),
    ("simulate", simulate.run, _SEARCHING),
    ("status", status.run, _LOOKING),
    ("logs", logs.run, _LOOKING),
    ("studies", studies.run, _LOOKING),
    ("pareto", pareto.run, _LOOKING),
    ("show", show.run, _LOOKING),
    ("cost", cost.run, _LOOKING),
    ("latency", latency.run, _LOOKING),
    ("diff", diff.run, _LOOKING),
    ("grammar", grammar.run, _LOOKING),
    ("presets", presets.run, _LOOKING),
    ("cache", cache.run, _LOOKING),
    ("recipes", recipes.run, _LOOKING),
    ("export", export.run, _TAKING),
    ("train", train.run, _TAKING),
    ("finetune", finetune.run, _TAKING),
    ("import", import_.run, _TAKING),
):
    app.command(_name, rich_help_panel=_panel)(with_plugins(_run) if _name in _WITH_PARTS else _run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    interrupts.listen()
    try:
        result = get_command(app).main(list(arguments) if arguments is not None else None, "nas", standalone_mode=False)
    except _UsageError as error:
        error.show()
        return WRONG_INPUT
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except UserError as error:
        _complain(str(error))
        return WRONG_INPUT
    except NasError as error:
        _complain(str(error))
        return FAILED
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return 0
    return result if isinstance(result, int) else 0


def _complain(message: str) -> None:
    typer.echo(f"{typer.style('error:', fg='red', bold=True)} {message}", err=True)


if __name__ == "__main__":
    sys.exit(main())
