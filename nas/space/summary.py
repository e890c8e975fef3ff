"""What can be known of a space before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nas.architecture import Architecture, estimate
from nas.cost import METRICS, Budget
from nas.errors import MisfitError
from nas.space.askers import following
from nas.space.dimension import Answers, Value
from nas.space.extremes import extreme
from nas.space.feasible import FeasibleSet
from nas.space.fitting import fitting
from nas.space.root import Root
from nas.space.size import count_points
from nas.task import Task

DRAWS = 1000
_EXAMPLES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The range of one metric over a space."""

    metric: str
    smallest: int
    median: int
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a space holds under a budget.

    Attributes:
        size: number of points, exact unless the space is walked.
        answers: exact number of sets of answers; more than `size` where parts do not fit their places in some.
        decisions: number of questions a walk may ask.
        reach: range of each metric; the median is over random points.
        points: how many points are within budget, exactly or about.
        points_low, points_high: the 95% interval; the number itself where it is exact.
        is_exact: whether they were counted.
        feasible: share of the points within budget.
        feasible_low, feasible_high: its interval.
        walked: why points are walked to, so that their numbers are estimates; None where they are drawn from tables.
        dead: decisions that cannot change anything under the budget: one option, or options that are always over it.
        examples: random architectures within budget, the cheapest first.
    """

    size: int
    answers: int
    decisions: int
    reach: tuple[Reach, ...]
    points: float
    points_low: float
    points_high: float
    is_exact: bool
    feasible: float
    feasible_low: float
    feasible_high: float
    walked: str | None
    dead: tuple[str, ...]
    examples: tuple[Architecture, ...]


def summarise(within: FeasibleSet, *, seed: int = 0, draws: int = DRAWS) -> Summary:
    """Look at a space from outside: size, reach, what is within budget, dead choices. A second or two.

    Args:
        within: the space under its budget.
        seed: of the random points.
        draws: random points behind the medians.
    """
    root, task = within.root, within.task
    anywhere = FeasibleSet(root, Budget(), task)
    costs = anywhere.costs(anywhere.random(draws, np.random.default_rng(seed)))
    reach = []
    for metric in METRICS:
        low, high = anywhere.ends(metric) or _ends(root, task, metric)
        reach.append(Reach(metric=metric, smallest=low, median=int(np.sort(costs[metric])[draws // 2]), largest=high))
    size, count = round(anywhere.size.points), within.size
    return Summary(
        size=size,
        answers=count_points(root),
        decisions=len(root.dimensions()),
        reach=tuple(reach),
        points=count.points,
        points_low=count.low,
        points_high=count.high,
        is_exact=count.is_exact,
        feasible=count.points / size,
        feasible_low=count.low / size,
        feasible_high=count.high / size,
        walked=within.walked,
        dead=tuple(_dead(root, within.budget, task)),
        examples=tuple(_examples(within, seed)),
    )


def _examples(within: FeasibleSet, seed: int) -> list[Architecture]:
    drawn = within.random(_EXAMPLES, np.random.default_rng(seed))
    cheapest_first = drawn[np.argsort(within.costs(drawn)["flops"], kind="stable")]
    return list(dict.fromkeys(within.architecture(row) for row in cheapest_first))


def spread_over(rows: Sequence[Architecture], count: int) -> list[Architecture]:
    """`count` of the rows at even distances, ends included."""
    if len(rows) <= count:
        return list(rows)
    return [rows[round(position * (len(rows) - 1) / (count - 1))] for position in range(count)]


def _ends(root: Root, task: Task, metric: str) -> tuple[int, int]:
    return extreme(root, task, metric, largest=False).value, extreme(root, task, metric, largest=True).value


def _dead(root: Root, budget: Budget, task: Task) -> list[str]:
    """Sentences about choices that are none."""
    cheapest = {bound.metric: extreme(root, task, bound.metric, largest=False).answers for bound in budget.bounds}
    found = []
    for name, dimension in root.dimensions().items():
        values = list(dimension.values)
        if len(values) == 1:
            found.append(f"{name} has the single option {values[0]!r}")
            continue
        misfits = {value: why for value in values if (why := _misfit(root, name, value)) is not None}
        if misfits:
            found.append(f"{name}: {_are(list(misfits))} never at its place ({next(iter(misfits.values()))})")
        over = [
            value
            for value in values
            if value not in misfits and _always_over(root, budget, task, cheapest, name, value)
        ]
        if over:
            found.append(f"{name}: {_are(over)} over budget whatever the rest")
    return found


def _are(values: Sequence[Value]) -> str:
    return f"{', '.join(map(repr, values))} {'is' if len(values) == 1 else 'are'}"


def _misfit(root: Root, name: str, value: Value) -> str | None:
    """Why no network near the first one has this answer."""
    try:
        fitting(root, following({name: value}), kept=[name])
    except MisfitError as error:
        return str(error)
    return None


def _always_over(
    root: Root, budget: Budget, task: Task, cheapest: Mapping[str, Answers], name: str, value: Value
) -> bool:
    """Whether even the cheapest network with this answer breaks an upper bound."""
    for bound in budget.bounds:
        architecture, asked = fitting(root, following({**cheapest[bound.metric], name: value}), kept=[name])
        excess = getattr(estimate(architecture, architecture.task_of(task)), bound.metric) / bound.high - 1
        if name in asked and not math.isnan(excess) and excess > 0:
            return True
    return False
