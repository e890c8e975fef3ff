"""How good a search was, by accuracies it has not seen.

Both scores look at what was trained, in the order in which it was: the hypervolume of a search for a front, and the
regret of a search for the most accurate network within a limit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.search.bench.table import Table

Curve = NDArray[np.float64]
"""A score after each training (trainings,)."""

_ROOM = 1.1  # the reference lies this much beyond the true front's dearest network, in log cost


@dataclass(frozen=True, kw_only=True)
class FrontScore:
    """Hypervolume of the true accuracies over log cost, as a share of the true front's.

    Attributes:
        accuracies, log_costs: of every network of the table (n,).
        floor: the accuracy from which it counts, the table's median.
        ceiling: the log cost up to which it counts.
        whole: the area under the true front.
    """

    accuracies: NDArray[np.float64]
    log_costs: NDArray[np.float64]
    floor: float
    ceiling: float
    whole: float

    @classmethod
    def of(cls, table: Table) -> FrontScore:
        """With c0 and c1 the least and most cost on the true front above the median: up to c0 + 1.1 (c1 - c0)."""
        accuracies, log_costs = table.true, np.log(table.costs[table.cost])
        floor = float(np.median(accuracies))
        front = _front(accuracies, log_costs, floor)
        low, high = log_costs[front].min(), log_costs[front].max()
        ceiling = float(low + _ROOM * (high - low)) if high > low else float(low + 1)
        score = cls(accuracies=accuracies, log_costs=log_costs, floor=floor, ceiling=ceiling, whole=1.0)
        whole = float(score.curve(front)[-1])
        return cls(accuracies=accuracies, log_costs=log_costs, floor=floor, ceiling=ceiling, whole=whole)

    def curve(self, trained: Sequence[int]) -> Curve:
        """The score after each of some trainings, by row of the table."""
        area, areas = 0.0, []
        costs: list[float] = []  # of the front so far, increasing, with the accuracies beside
        values: list[float] = []
        for row in trained:
            area += self._gain(costs, values, float(self.log_costs[row]), float(self.accuracies[row]))
            areas.append(area)
        return np.array(areas) / self.whole

    def _gain(self, costs: list[float], values: list[float], cost: float, value: float) -> float:
        """The area that a network adds, which takes its place on the front."""
        place = bisect_right(costs, cost)
        level = values[place - 1] if place else self.floor
        if cost >= self.ceiling or value <= level:
            return 0.0
        gain, here, start = 0.0, place, cost
        while True:
            end = costs[here] if here < len(costs) else self.ceiling
            gain += (value - level) * (end - start)
            if here == len(costs) or values[here] > value:
                break
            level, start, here = values[here], costs[here], here + 1
        first = bisect_left(costs, cost)
        costs[first:here], values[first:here] = [cost], [value]
        return gain


@dataclass(frozen=True, kw_only=True)
class RegretScore:
    """What the network with the best accuracy seen lacks to the truly best one, in points of accuracy in [0, 1].

    Attributes:
        accuracies: true ones (n,).
        seen: accuracies (n,) that the search saw.
        best: the largest true accuracy within the limit.
    """

    accuracies: NDArray[np.float64]
    seen: NDArray[np.float64]
    best: float

    def curve(self, trained: Sequence[int]) -> Curve:
        """The score after each of some trainings, by row of the table; all of them within the limit."""
        seen = self.seen[list(trained)]
        ahead = np.maximum.accumulate(seen)
        chosen = np.maximum.accumulate(np.where(seen == ahead, np.arange(len(seen)), 0))
        return np.asarray(self.best - self.accuracies[np.array(trained)[chosen]])


def _front(accuracies: NDArray[np.float64], log_costs: NDArray[np.float64], floor: float) -> list[int]:
    """Rows of the true front with at least `floor`, the cheapest first."""
    front, best = [], -np.inf
    for row in np.lexsort((-accuracies, log_costs)):
        if accuracies[row] > best:
            best = accuracies[row]
            if best >= floor:
                front.append(int(row))
    return front
