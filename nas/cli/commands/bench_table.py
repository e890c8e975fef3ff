"""`nas bench table`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import CurvesFile, Json, MarkdownFile

if TYPE_CHECKING:
    from nas.report.bench import Conditions
    from nas.search.bench.contestant import Contestant
    from nas.search.bench.summary import Line
    from nas.search.bench.table import Table


def run(
    tables: Annotated[list[Path], typer.Argument(help="Descriptions (.yaml) of tables of trained networks.")],
    sampler: Annotated[
        list[str] | None,
        typer.Option(
            "--sampler",
            metavar="NAME[:N][/W]",
            help="A sampler to judge, repeatable, with its own number of trainings and workers if need be, such as "
            "gp:50 or surrogate:100/8; default: surrogate. Random is always there.",
        ),
    ] = None,
    trials: Annotated[int, typer.Option("--trials", "-n", min=1, help="Trainings of a search.")] = 400,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Searches of each kind, with seeds from 0 on.")] = 30,
    workers: Annotated[
        int, typer.Option("--workers", "-w", min=1, help="Trainings side by side: results a proposal lacks, plus one.")
    ] = 1,
    control: Annotated[
        float, typer.Option("--control", min=0.0, max=1.0, help="Share of trials that are drawn at random.")
    ] = 0.1,
    only: Annotated[
        str | None, typer.Option("--only", help="front or single: one kind of search instead of both.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option("--files", help="Folder of the CSV files; default: beside their descriptions."),
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Processes; default: cores.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="Keep finished searches in this file; those that are in it are not done again."),
    ] = None,
    output: MarkdownFile = None,
    plot: CurvesFile = None,
    as_json: Json = False,
) -> None:
    r"""Judge samplers on tables of networks that somebody trained, through the engine of `nas search`.

    Two kinds of search: for the front of accuracy against cost, scored by hypervolume, and for the most accurate
    network within 30, 50 and 70% of the costs, scored by regret. Scores are true accuracies; searches see noisy ones.

    A table is a CSV file with one network a line, and a description that says what its columns are, such as:
    {name: mine, file: results.csv, decisions: {depth: ordered, act: categories}, seen: \[acc_0, acc_1], costs: flops}
    """
    from nas.report.bench import Conditions, markdown
    from nas.report.chart import require_chart_form
    from nas.search.bench.table import read_table

    if plot is not None:
        require_chart_form(plot)
    read = {path: read_table(path, files) for path in tables}
    conditions = Conditions(trials=trials, seeds=seeds, workers=workers, control=control)
    lines = _lines(read, files, _contestants(sampler or ["surrogate"], conditions), conditions, only, jobs, keep)
    if output is not None:
        from nas.data.atomic import new_file

        with new_file(output) as temporary:
            temporary.write_text(markdown(lines, [*read.values()], conditions), encoding="utf-8")
    if plot is not None:
        _plot(lines, [*read.values()], plot)
    if as_json:
        from nas.cli.output import print_json

        print_json([line.to_dict() for line in lines])
        return
    _draw(lines, [*read.values()], conditions)


def _lines(
    tables: dict[Path, Table],
    files: Path | None,
    contestants: list[Contestant],
    conditions: Conditions,
    only: str | None,
    jobs: int | None,
    keep: Path | None,
) -> list[Line]:
    from nas.cli.live import StepDisplay
    from nas.data.cores import available_cores
    from nas.search.bench.kept import Kept
    from nas.search.bench.many import search_tables
    from nas.search.bench.run import tasks_of
    from nas.search.bench.summary import summarised

    tasks = tasks_of(
        list(tables),
        contestants,
        folder=files,
        seeds=conditions.seeds,
        control=conditions.control,
        quantiles=_quantiles(only),
    )
    kept = Kept(keep, lambda path: tables[path].fingerprint)
    with StepDisplay("searching") as display:
        return summarised(search_tables(tasks, kept=kept, jobs=jobs or available_cores(), watch=display.count))


def _contestants(texts: list[str], conditions: Conditions) -> list[Contestant]:
    from nas.search.bench.contestant import Contestant
    from nas.search.problem import RANDOM

    return list(
        dict.fromkeys(
            Contestant.parse(text, trials=conditions.trials, workers=conditions.workers) for text in [RANDOM, *texts]
        )
    )


def _quantiles(only: str | None) -> list[float | None]:
    from nas.errors import UnknownNameError
    from nas.registry import did_you_mean
    from nas.search.bench.run import QUANTILES

    kinds: dict[str, list[float | None]] = {"front": [None], "single": list(QUANTILES)}
    if only is not None and only not in kinds:
        raise UnknownNameError(f"unknown kind of search {only!r}; {did_you_mean(only, kinds)}")
    return [one for kind, found in kinds.items() if only in (None, kind) for one in found]


def _plot(lines: list[Line], tables: list[Table], path: Path) -> None:
    from nas.report.bench import panels
    from nas.report.chart import write_chart

    write_chart(panels(lines, tables), path, title="Samplers on tables of trained networks")


def _draw(lines: list[Line], tables: list[Table], conditions: Conditions) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table as grid
    from nas.report.bench import sections

    for table, found in sections(lines, tables):
        for section in found:
            made = grid(f"{table.name}: {section.title}", *section.heads)
            for row in section.rows:
                made.add_row(*row)
            draw(made, "")
    draw(f"{conditions} Medians, with quartiles in brackets; x: times as many trainings of random search.")
