"""The cheapest and the dearest point of a space."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from typing import NamedTuple

from nas.architecture import Architecture, estimate
from nas.cost import Bound, Budget
from nas.errors import BudgetError, MisfitError
from nas.space.askers import drawing, following
from nas.space.dimension import Answers, Ask, Dimension, Value
from nas.space.fitting import fitting
from nas.space.root import Root
from nas.task import Task
from nas.units import format_quantity

_STARTS = 4


class Extreme(NamedTuple):
    """A point at one end of a metric."""

    value: int
    architecture: Architecture
    answers: Answers


def extreme(root: Root, task: Task, metric: str, *, largest: bool) -> Extreme:
    """The smallest or largest value of a metric that was found, and where.

    Coordinate descent from several starts: each decision in turn takes its best value, until none improves; what a
    value asks for in addition is settled before the value is judged, and what no longer fits is exchanged. Exact where
    the order of a decision's values does not depend on the others, as with depths, widths and kernels.
    """
    sign = -1 if largest else 1
    dimensions = root.dimensions()
    rng = random.Random(0)
    asks = [following({}), _last, *(drawing(rng) for _ in range(_STARTS - 2))]

    def price(ask: Ask, kept: Collection[str] = ()) -> Extreme:
        architecture, asked = fitting(root, ask, kept=kept)
        return Extreme(getattr(estimate(architecture, architecture.task_of(task)), metric), architecture, asked)

    def settle(best: Extreme, names: Iterable[str]) -> Extreme:
        """The best value for each of `names` in turn."""
        for name in names:
            for value in dimensions[name].values:
                if name not in best.answers:  # or not any more: what did not fit was exchanged for what does not ask it
                    break
                if value == best.answers[name]:
                    continue
                try:
                    tried = price(following({**best.answers, name: value}), [name])
                except MisfitError:
                    continue
                tried = settle(tried, [fresh for fresh in tried.answers if fresh not in best.answers])
                if sign * tried.value < sign * best.value:
                    best = tried
        return best

    def descend(best: Extreme) -> Extreme:
        while (better := settle(best, list(best.answers))) is not best:
            best = better
        return best

    return min((descend(price(ask)) for ask in asks), key=lambda one: sign * one.value)


def require_reachable(root: Root, budget: Budget, task: Task) -> None:
    """Stop with the nearest reachable cost if no point of the space can meet a bound.

    Raises:
        BudgetError: with the smallest or largest cost the space can reach and for which architecture.
    """
    for bound in budget.bounds:
        smallest = extreme(root, task, bound.metric, largest=False)
        if smallest.value > bound.high:
            raise BudgetError(_unreachable(root, task, bound, smallest, "smallest"))
        if bound.low:
            largest = extreme(root, task, bound.metric, largest=True)
            if largest.value < bound.low:
                raise BudgetError(_unreachable(root, task, bound, largest, "largest"))


def _unreachable(root: Root, task: Task, bound: Bound, nearest: Extreme, which: str) -> str:
    answers = ", ".join(f"{name}={value}" for name, value in sorted(nearest.answers.items()))
    return (
        f"no architecture of {root.name} is within {bound} at {task.resolution}x{task.resolution} with {task.classes} "
        f"classes: the {which} it can reach is {format_quantity(bound.metric, nearest.value)}, "
        f"by architecture {nearest.architecture.id} ({answers or 'its only point'}). "
        f"{'Raise' if which == 'smallest' else 'Lower'} the budget, or widen the space."
    )


def _last(name: str, dimension: Dimension) -> Value:
    return dimension.values[-1]
