"""`nas`: the entry point, and the only place where errors become exit codes.

0 done; 1 the work failed; 2 the user's input is wrong; 130 interrupted, resumable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

import nas
from nas.cli import interrupts, streams
from nas.cli.commands import (
    analyze,
    bench_driver,
    bench_ledgers,
    bench_table,
    cache,
    calibrate,
    check,
    compare,
    cost,
    diff,
    erf,
    export,
    grammar,
    import_,
    latency,
    pareto,
    presets,
    recipes,
    refine,
    report,
    sample,
    search,
    shape_bias,
    show,
    shrink,
    status,
    studies,
    train,
    trust,
)
from nas.cli.plugin_option import with_plugins
from nas.cli.space_argument import with_space
from nas.cli.values import CheckedCommand, paragraphs
from nas.cli.workers import with_workers
from nas.command_line import command_line
from nas.errors import NasError, UserError, system_reason

FAILED, WRONG_INPUT = 1, 2

# The root of what the parser raises; typer has a click of its own, or not, depending on its version.
_UsageError: Any = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")

app = typer.Typer(
    name="nas",
    help="Explore the design space of modern ConvNets: a search space in YAML, a budget, a Pareto front, a winner.",
    epilog="Start with: nas search tiny --budget 30MFLOPs",
    no_args_is_help=True,
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
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            metavar="FOLDER",
            help="Where resized images are kept; NAS_CACHE in the environment says the same. Default: "
            "$XDG_CACHE_HOME/nas, or ~/.cache/nas.",
        ),
    ] = None,
) -> None:
    """Explore the design space of modern ConvNets: a search space in YAML, a budget, a Pareto front, a winner."""
    if cache is not None:
        from nas.data.load import CACHE_VARIABLE

        os.environ[CACHE_VARIABLE] = str(cache.absolute())  # which the workers of this machine inherit


# The commands that read architectures or spaces, whose parts may be of plug-ins.
_WITH_PARTS = (
    *("search", "check", "sample", "calibrate", "compare", "trust", "refine", "pareto", "show", "cost", "latency"),
    *("diff", "grammar", "erf", "shape-bias", "export", "train", "import", "report", "analyze"),
    "shrink",
)

_WITH_SPACE = ("search", "check", "sample", "calibrate", "trust")
_WITH_WORKERS = ("search", "compare", "trust", "refine")


def _equipped(name: str, run: Callable[..., None]) -> Callable[..., None]:
    """A command with what several have in common."""
    staffed = with_workers(run) if name in _WITH_WORKERS else run
    placed = with_space(staffed) if name in _WITH_SPACE else staffed
    return with_plugins(placed) if name in _WITH_PARTS else placed


_SEARCHING, _LOOKING, _TAKING = "Searching", "Looking", "Taking a winner"
for _name, _run, _panel in (
    ("search", search.run, _SEARCHING),
    ("check", check.run, _SEARCHING),
    ("sample", sample.run, _SEARCHING),
    ("calibrate", calibrate.run, _SEARCHING),
    ("compare", compare.run, _SEARCHING),
    ("trust", trust.run, _SEARCHING),
    ("refine", refine.run, _SEARCHING),
    ("shrink", shrink.run, _SEARCHING),
    ("status", status.run, _LOOKING),
    ("studies", studies.run, _LOOKING),
    ("pareto", pareto.run, _LOOKING),
    ("analyze", analyze.run, _LOOKING),
    ("report", report.run, _LOOKING),
    ("show", show.run, _LOOKING),
    ("cost", cost.run, _LOOKING),
    ("latency", latency.run, _LOOKING),
    ("diff", diff.run, _LOOKING),
    ("erf", erf.run, _LOOKING),
    ("shape-bias", shape_bias.run, _LOOKING),
    ("grammar", grammar.run, _LOOKING),
    ("presets", presets.run, _LOOKING),
    ("cache", cache.run, _LOOKING),
    ("recipes", recipes.run, _LOOKING),
    ("export", export.run, _TAKING),
    ("train", train.run, _TAKING),
    ("import", import_.run, _TAKING),
):
    app.command(_name, cls=CheckedCommand, rich_help_panel=_panel, help=paragraphs(_run.__doc__))(
        _equipped(_name, _run)
    )


class _BenchCommands(TyperGroup):
    """Knows that `nas bench FILE` was what `nas bench table FILE` is now."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The subcommand; a file in its place is answered with the one that takes it."""
        if args and args[0].endswith((".yaml", ".yml")):
            raise UserError(f"a table is judged by: {command_line('bench', 'table', arguments=args[:1])}")
        return super().resolve_command(ctx, args)


_bench = typer.Typer(
    cls=_BenchCommands,
    no_args_is_help=True,
    help="Judge samplers and drivers: on tables, by finished searches, simulated.",
)
for _name, _judge in (("table", bench_table.run), ("ledgers", bench_ledgers.run), ("driver", bench_driver.run)):
    _bench.command(_name, cls=CheckedCommand, help=paragraphs(_judge.__doc__))(_judge)
app.add_typer(_bench, name="bench", rich_help_panel=_SEARCHING)

_FORMER = {
    "race": "bench ledgers",
    "simulate": "bench driver",
    "logs": "status STUDY:ID",
    "finetune": "train --from FOLDER",
}


def _former(old: str, new: str) -> Callable[[], None]:
    """A command that has another name now, and says which."""

    def run() -> None:
        raise UserError(f"`nas {old}` is `nas {new}` now")

    return run


for _old, _new in _FORMER.items():
    app.command(
        _old,
        hidden=True,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )(_former(_old, _new))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    interrupts.listen()
    streams.prepare()
    try:
        code = _run_command(arguments)
        streams.finish()
    except OSError as error:
        code = _handle_os_error(error)
    streams.drop_rest()
    return code


def program() -> int:
    """The command line of this process, as its last act."""
    interrupts.insist()
    code = main()
    interrupts.end()
    return code


def _run_command(arguments: Sequence[str] | None) -> int:
    """The exit code of a command line; raises OSError where a file or a stream fails."""
    try:
        result = get_command(app).main(list(arguments) if arguments is not None else None, "nas", standalone_mode=False)
    except _UsageError as error:
        with suppress(OSError):
            _refuse(error)
        return WRONG_INPUT
    except (typer.Abort, KeyboardInterrupt):
        return interrupts.INTERRUPTED
    except UserError as error:
        _complain(str(error))
        return WRONG_INPUT
    except NasError as error:
        _complain(str(error))
        return FAILED
    except SystemExit:  # what the libraries that print make of a reader who has seen enough
        raise BrokenPipeError from None
    return result if isinstance(result, int) else 0


def _handle_os_error(error: OSError) -> int:
    """The exit code of what the operating system refused: a file, a full disk, a stream that nobody reads."""
    if isinstance(error, BrokenPipeError):  # the reader of our output has seen enough
        return 0
    _complain(f"{error.filename or 'writing the output'}: {system_reason(error)}")
    return WRONG_INPUT


def _refuse(error: Any) -> None:
    """Say what the parser has against a command line; a command without its first word shows its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    path = "nas" if error.ctx is None else error.ctx.command_path
    message = error.format_message().rstrip(".")
    _complain(f"{message[:1].lower()}{message[1:]}; `{path} --help` says what there is")


def _complain(message: str) -> None:
    from nas.cli.output import aside, strong

    with suppress(OSError):  # where stderr cannot be written, the exit code has to do
        aside().print(strong("error:", "bold red") + f" {message}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(program())
