"""A benchmark of samplers in words: cells of tables, and a Markdown file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from nas.report.chart import Panel, Series
from nas.report.markdown import grid
from nas.search.bench.summary import Line, Point
from nas.search.bench.table import Table
from nas.search.problem import RANDOM
from nas.units import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What holds for all searches of a benchmark."""

    trials: int
    seeds: int
    workers: int
    control: float

    def __str__(self) -> str:
        side = "one at a time" if self.workers == 1 else f"{self.workers} side by side"
        return (
            f"{plural(self.trials, 'training')} {side}, {plural(self.seeds, 'seed')}, unless the line says otherwise; "
            f"{self.control:.0%} of the trials of every sampler but random are drawn at random."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One kind of search on one table.

    Attributes:
        title: what was searched for.
        heads: of the columns; those with a '>' are aligned to the right.
        rows: cells.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


FRONT = (
    "Hypervolume of the true accuracies over log cost, above the table's median accuracy, as a share of the true "
    "front's; behind it, how many times as many trainings random search needs for the same."
)
REGRET = (
    "Search for the most accurate network within a limit: what the one with the best accuracy seen lacks to the truly "
    "best one, in points of accuracy; behind it, how many times as many trainings random search needs for the same."
)


def sections(lines: Sequence[Line], tables: Sequence[Table]) -> list[tuple[Table, list[Section]]]:
    """The tables of a report, by benchmark table."""
    return [(table, _sections([line for line in lines if line.table == table.name], table)) for table in tables]


def markdown(lines: Sequence[Line], tables: Sequence[Table], conditions: Conditions) -> str:
    """The report as a file that can be committed."""
    text = ["# Samplers on tables of trained networks", "", f"{conditions} Medians, with quartiles in brackets.", ""]
    kinds = {line.quantile is None for line in lines}
    text += [part for kind, about in ((True, FRONT), (False, REGRET)) if kind in kinds for part in (about, "")]
    for table, found in sections(lines, tables):
        text += [f"## {table.name}", "", f"{table.about or table.name}: {len(table):,} networks.", ""]
        for section in found:
            text += [f"### {section.title[0].upper()}{section.title[1:]}", "", *grid(section.heads, section.rows), ""]
    return "\n".join(text).rstrip() + "\n"


def panels(lines: Sequence[Line], tables: Sequence[Table]) -> list[Panel]:
    """The curves, one panel for each kind of search on each table."""
    found = []
    for table in tables:
        of_table = sorted((line for line in lines if line.table == table.name), key=_order)
        for quantile, group in groupby(of_table, lambda line: line.quantile):
            series = [Series(line.sampler, *line.curve.T) for line in group]
            label = "hypervolume" if quantile is None else "regret"
            found.append(Panel(f"{table.name}, {_title(quantile, table)}", "trainings", label, series))
    return found


def _sections(lines: Sequence[Line], table: Table) -> list[Section]:
    ordered = sorted(lines, key=_order)
    return [_section(quantile, list(found), table) for quantile, found in groupby(ordered, lambda line: line.quantile)]


def _order(line: Line) -> float:
    return -1.0 if line.quantile is None else line.quantile


def _title(quantile: float | None, table: Table) -> str:
    if quantile is None:
        return f"accuracy against {table.cost}"
    return f"accuracy within the {quantile:.0%} quantile of {table.cost}"


def _section(quantile: float | None, lines: Sequence[Line], table: Table) -> Section:
    counts = sorted({point.trainings for line in lines for point in line.points})
    return Section(
        title=_title(quantile, table),
        heads=("sampler", *(f">{count}" for count in counts), ">ms a proposal"),
        rows=tuple(_row(line, counts) for line in sorted(lines, key=_rank(lines))),
    )


def _rank(lines: Sequence[Line]) -> Callable[[Line], float]:
    """The best first, after as many trainings as all of them had, or nearly."""
    shared = min(line.points[-1].trainings for line in lines)

    def rank(line: Line) -> float:
        score = next(point.median for point in reversed(line.points) if point.trainings <= shared)
        return -score if line.quantile is None else score

    return rank


def _row(line: Line, counts: Sequence[int]) -> tuple[str, ...]:
    cells = {point.trainings: _cell(line, point) for point in line.points}
    return (line.sampler, *(cells.get(count, "") for count in counts), f"{line.proposal_ms:.1f}")


def _cell(line: Line, point: Point) -> str:
    score = _share(point) if line.quantile is None else _points(point)
    return score if line.sampler == RANDOM else f"{score}{_ratio(point)}"


def _share(point: Point) -> str:
    return f"{point.median:.3f} ({point.low:.3f}-{point.high:.3f})"


def _points(point: Point) -> str:
    return f"{100 * point.median:.2f} ({100 * point.low:.2f}-{100 * point.high:.2f})"


def _ratio(point: Point) -> str:
    if point.random is not None:
        return f" {point.random:.1f}x"
    return "" if point.more_than is None else f" >{point.more_than:.1f}x"
