"""What remains of a front once its networks were trained with other seeds than the one that chose them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from nas.analysis.front import FrontRow
from nas.analysis.intervals import mean_interval
from nas.analysis.pareto import non_dominated


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """One network of a front.

    Attributes:
        id: of the architecture.
        flops: of it.
        accuracy: that it was chosen by.
        confirmed: mean accuracy with other seeds; None where every training failed.
        low, high: 95% interval of that mean (Student, over seeds, within [0, 1]); None for fewer than two.
        seeds: trainings behind it.
        remains: whether no other confirmed network beats it.
    """

    id: str
    flops: int
    accuracy: float
    confirmed: float | None
    low: float | None
    high: float | None
    seeds: int
    remains: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def confirmed_rows(
    front: Sequence[FrontRow], accuracies: Mapping[str, Sequence[float]], costs: Sequence[str]
) -> list[Confirmed]:
    """The networks of a front with their accuracies under other seeds, in the order of the front.

    Args:
        front: as the search found it.
        accuracies: with other seeds, by id.
        costs: that the front trades accuracy against.
    """
    known = [row for row in front if accuracies.get(row.id)]
    points = [(fmean(accuracies[row.id]), *(row.cost(cost) for cost in costs)) for row in known]
    best = non_dominated(points, maximise=(True, *(False for _ in costs))) if known else []
    remaining = {known[place].id for place in best}
    return [_row(row, accuracies.get(row.id, ()), remains=row.id in remaining) for row in front]


def shrinkage(rows: Sequence[Confirmed]) -> float | None:
    """Mean of what was found less what was confirmed; None without any confirmed one."""
    lost = [row.accuracy - row.confirmed for row in rows if row.confirmed is not None]
    return fmean(lost) if lost else None


def _row(row: FrontRow, accuracies: Sequence[float], *, remains: bool) -> Confirmed:
    interval = mean_interval(accuracies) if len(accuracies) > 1 else None
    return Confirmed(
        id=row.id,
        flops=row.flops,
        accuracy=row.accuracy,
        confirmed=fmean(accuracies) if accuracies else None,
        low=None if interval is None else max(0.0, interval.low),
        high=None if interval is None else min(1.0, interval.high),  # Student's knows of no such end
        seeds=len(accuracies),
        remains=remains,
    )
