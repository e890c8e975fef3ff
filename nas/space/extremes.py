"""The cheapest and the dearest point of a space."""

from __future__ import annotations

import random
from typing import NamedTuple

from nas.architecture import Architecture, estimate
from nas.cost import Bound, Budget
from nas.errors import BudgetError
from nas.space.askers import drawing, following
from nas.space.dimension import Dimension, Value
from nas.space.space import SearchSpace
from nas.task import Task
from nas.units import format_quantity

_STARTS = 4


class Extreme(NamedTuple):
    """A point at one end of a metric."""

    value: int
    architecture: Architecture
    answers: dict[str, Value]


def extreme(space: SearchSpace, task: Task, metric: str, *, largest: bool) -> Extreme:
    """The smallest or largest value of a metric that was found, and where.

    Coordinate descent from several starts: each decision in turn takes its best value, until none improves. Exact
    where the order of a decision's values does not depend on the others, as with depths, widths and kernels.
    """
    sign = -1 if largest else 1
    first, last = following({}), _last
    rng = random.Random(0)
    asks = [first, last, *(drawing(rng) for _ in range(_STARTS - 2))]
    found = [_descend(space, task, metric, sign, space.choices(ask)[1]) for ask in asks]
    return min(found, key=lambda one: sign * one.value)


def require_reachable(space: SearchSpace, budget: Budget, task: Task) -> None:
    """Stop with the nearest reachable cost if no point of the space can meet a bound.

    Raises:
        BudgetError: with the smallest or largest cost the space can reach and for which architecture.
    """
    for bound in budget.bounds:
        smallest = extreme(space, task, bound.metric, largest=False)
        if smallest.value > bound.high:
            raise BudgetError(_unreachable(space, task, bound, smallest, "smallest"))
        if bound.low:
            largest = extreme(space, task, bound.metric, largest=True)
            if largest.value < bound.low:
                raise BudgetError(_unreachable(space, task, bound, largest, "largest"))


def _unreachable(space: SearchSpace, task: Task, bound: Bound, nearest: Extreme, which: str) -> str:
    answers = ", ".join(f"{name}={value}" for name, value in sorted(nearest.answers.items()))
    return (
        f"no architecture of {space.name} costs {bound} at {task.resolution}x{task.resolution} with {task.classes} "
        f"classes: the {which} it can reach is {format_quantity(bound.metric, nearest.value)}, "
        f"by architecture {nearest.architecture.id} ({answers or 'its only point'}). "
        f"{'Raise' if which == 'smallest' else 'Lower'} the budget, or widen the space."
    )


def _last(name: str, dimension: Dimension) -> Value:
    return dimension.values[-1]


def _descend(space: SearchSpace, task: Task, metric: str, sign: int, start: dict[str, Value]) -> Extreme:
    dimensions = space.dimensions()

    def price(answers: dict[str, Value]) -> Extreme:
        architecture, asked = space.choices(following(answers))
        return Extreme(getattr(estimate(architecture, task), metric), architecture, asked)

    best = price(start)
    improved = True
    while improved:
        improved = False
        for name in list(best.answers):
            for value in dimensions[name].values:
                tried = price({**best.answers, name: value})
                if sign * tried.value < sign * best.value:
                    best, improved = tried, True
    return best
