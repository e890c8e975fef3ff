"""How alone a point is among others ('A fast and elitist multiobjective genetic algorithm: NSGA-II', 2002, III.B)."""

from __future__ import annotations

import math
from collections.abc import Sequence


def crowding_distances(points: Sequence[Sequence[float]]) -> list[float]:
    """The crowding distance of every point: in each objective the gap between its neighbours, as a share of the range.

    The outermost points of every objective are infinitely far. Equal points share one distance, so that nothing depends
    on their order.

    Args:
        points: n points of equally many objectives.

    >>> crowding_distances([(0.0, 4.0), (1.0, 2.0), (4.0, 0.0)])
    [inf, 2.0, inf]
    """
    found: dict[tuple[float, ...], float] = {tuple(point): 0.0 for point in points}
    for objective in range(len(points[0]) if points else 0):
        ordered = sorted(found, key=lambda point: (point[objective], point))
        low, high = ordered[0][objective], ordered[-1][objective]
        for at, point in enumerate(ordered):
            if at in (0, len(ordered) - 1):
                found[point] = math.inf
            elif high > low:
                found[point] += (ordered[at + 1][objective] - ordered[at - 1][objective]) / (high - low)
    return [found[tuple(point)] for point in points]
