"""Many searches of tables as a few numbers: medians over seeds, quartiles, and how they compare with random search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.search.bench.run import Outcome
from nas.search.bench.scores import Curve
from nas.search.problem import RANDOM

CHECKPOINTS = (25, 50, 100, 200, 400)
"""Trainings after which scores are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The scores of a sampler after some trainings.

    Attributes:
        trainings: how many.
        median, low, high: over the seeds, with the quartiles.
        random: trainings that random search needs for the same median, divided by these; None where it does not get
            there with as many as it had, or was not run.
        more_than: what `random` is above where random search did not get there.
    """

    trainings: int
    median: float
    low: float
    high: float
    random: float | None
    more_than: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sampler on one table.

    Attributes:
        table: its name.
        quantile: of the costs, for searches of the most accurate network within it; None for a front.
        sampler: its label.
        seeds: searches.
        points: scores at the checkpoints.
        curve: after every training: rows of trainings, median and quartiles, for a plot.
        proposal_ms: median time of one proposal.
        rejected: asks over the limit in a search, on average.
    """

    table: str
    quantile: float | None
    sampler: str
    seeds: int
    points: tuple[Point, ...]
    curve: NDArray[np.float64]
    proposal_ms: float
    rejected: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the curve."""
        return {name: value for name, value in asdict(self).items() if name != "curve"}


def summarised(outcomes: Iterable[Outcome]) -> list[Line]:
    """One line for each table, kind of search and sampler, in the order in which they came first."""
    groups: defaultdict[tuple[str, float | None, str], list[Outcome]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda one: one.task.seed):
        groups[outcome.table, outcome.task.quantile, outcome.task.label].append(outcome)
    chances = {(table, quantile): _median(found) for (table, quantile, name), found in groups.items() if name == RANDOM}
    return [
        _line(table, quantile, name, found, chances.get((table, quantile)))
        for (table, quantile, name), found in groups.items()
    ]


def _line(table: str, quantile: float | None, name: str, found: Sequence[Outcome], chance: Curve | None) -> Line:
    curves = np.array([outcome.curve for outcome in found])
    low, median, high = np.quantile(curves, [0.25, 0.5, 0.75], axis=0)
    last = curves.shape[1]
    points = []
    for count in sorted({*(one for one in CHECKPOINTS if one < last), last}):
        middle = float(median[count - 1])
        needed = None if chance is None else _needed(chance, middle, more_is_better=quantile is None)
        points.append(
            Point(
                trainings=count,
                median=middle,
                low=float(low[count - 1]),
                high=float(high[count - 1]),
                random=None if needed is None else needed / count,
                more_than=None if chance is None else len(chance) / count,
            )
        )
    return Line(
        table=table,
        quantile=quantile,
        sampler=name,
        seeds=len(found),
        points=tuple(points),
        curve=np.column_stack([np.arange(1, last + 1), median, low, high]),
        proposal_ms=float(np.median([1000 * one.asking_seconds / last for one in found])),
        rejected=float(np.mean([one.rejected for one in found])),
    )


def _median(found: Sequence[Outcome]) -> Curve:
    return np.asarray(np.median([outcome.curve for outcome in found], axis=0))


def _needed(curve: Curve, score: float, *, more_is_better: bool) -> int | None:
    """Trainings after which a curve is at a score or beyond it."""
    there = curve >= score if more_is_better else curve <= score
    return int(np.argmax(there)) + 1 if there.any() else None
