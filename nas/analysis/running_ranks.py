"""Non-dominated sorting of points that come one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas.analysis.objectives import losses

_Points = NDArray[np.float64]


class RunningRanks:
    """The fronts of `pareto.ranks`, kept up to date.

    A new point takes its place on the first front where nobody dominates it and pushes those that it dominates to the
    next front, where they do the same (Li, Deb, Zhang, Zhang: "Efficient Nondomination Level Update Method for
    Steady-State Evolutionary Multiobjective Optimization", IEEE Transactions on Cybernetics 47(9), 2017). That costs a
    comparison with the fronts from there on at most, instead of sorting everything anew. Differs from the paper: the
    first of these fronts is found by bisection.
    """

    def __init__(self, maximise: Sequence[bool]) -> None:
        """No points; `maximise` says for each objective whether more of it is better."""
        self._maximise = tuple(maximise)
        self._points: list[_Points] = []  # of each front, as losses
        self._numbers: list[list[int]] = []

    @property
    def fronts(self) -> Sequence[Sequence[int]]:
        """The numbers of the points on each front, the best first, in no particular order; not to be written to."""
        return self._numbers

    def add(self, number: int, point: Sequence[float]) -> None:
        """Let a point take its place.

        Raises:
            ValueError: a point of another length, or a coordinate that is not a number.
        """
        points, numbers = np.array(losses([point], self._maximise)), [number]
        for index in range(self._first_free(points), len(self._points)):
            beaten = _dominated(self._points[index], points)
            moved, staying = np.flatnonzero(beaten), np.flatnonzero(~beaten)
            here, names = self._points[index], self._numbers[index]
            self._points[index] = np.concatenate([here[staying], points])
            self._numbers[index] = [*(names[at] for at in staying), *numbers]
            if not len(moved):
                return
            points, numbers = here[moved], [names[at] for at in moved]
        self._points.append(points)
        self._numbers.append(numbers)

    def _first_free(self, point: _Points) -> int:
        """The first front that holds nobody who dominates a point (1, objectives): one after it holds nobody either."""
        low, high = 0, len(self._points)
        while low < high:
            middle = (low + high) // 2
            if _dominated(point, self._points[middle])[0]:
                low = middle + 1
            else:
                high = middle
        return low


def _dominated(points: _Points, others: _Points) -> NDArray[np.bool_]:
    """Which of the points (n, objectives) are dominated by any of the others (m, objectives)."""
    theirs, ours = others[:, None], points[None]
    pairs = np.all(theirs <= ours, axis=2) & np.any(theirs < ours, axis=2)
    return np.asarray(pairs.any(axis=0))
