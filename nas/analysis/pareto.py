"""Pareto dominance: the front of a set of points, and the rank of every point.

One point dominates another if it is no worse in every objective and better in at least one. Equal points do not
dominate each other, so they are on a front together. Nothing depends on the order of the points.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from nas.analysis.objectives import Losses, losses


def non_dominated(points: Sequence[Sequence[float]], *, maximise: Sequence[bool]) -> list[int]:
    """Indices of the points that no other point dominates, in increasing order.

    Two objectives take O(n log n) (Kung, Luccio and Preparata, "On finding the maxima of a set of vectors", 1975), more
    of them O(n log n + n f) for a front of f points.

    Args:
        points: n points of as many objectives as `maximise` has entries.
        maximise: for each objective, whether more of it is better; `(True, False)` for accuracy against cost.

    Raises:
        ValueError: a point of another length, or a coordinate that is not a number.

    >>> non_dominated([(0.7, 4), (0.8, 9), (0.6, 5)], maximise=(True, False))
    [0, 1]
    """
    turned = losses(points, maximise)
    if len(maximise) <= 2:
        return [index for index, rank in enumerate(_ranks_of_pairs(turned)) if rank == 0]
    front: list[Losses] = []
    for candidate in sorted(set(turned)):  # whatever dominates a point comes before it
        if not _is_dominated(candidate, front):
            front.append(candidate)
    chosen = set(front)
    return [index for index, point in enumerate(turned) if point in chosen]


def ranks(points: Sequence[Sequence[float]], *, maximise: Sequence[bool]) -> list[int]:
    """The rank of every point: 0 on the front, 1 on the front of the rest, and so on (non-dominated sorting).

    Two objectives take O(n log n), more of them O(n^2) comparisons at worst (efficient non-dominated sort with binary
    search; Zhang, Tian, Cheng and Jin, IEEE Transactions on Evolutionary Computation 19(2), 2015).

    Args:
        points: n points of as many objectives as `maximise` has entries.
        maximise: for each objective, whether more of it is better.

    Raises:
        ValueError: a point of another length, or a coordinate that is not a number.

    >>> ranks([(0.7, 4), (0.8, 9), (0.6, 5)], maximise=(True, False))
    [0, 0, 1]
    """
    turned = losses(points, maximise)
    return _ranks_of_pairs(turned) if len(maximise) <= 2 else _ranks_of_tuples(turned)


def _ranks_of_pairs(points: Sequence[Losses]) -> list[int]:
    """Ranks for one or two objectives.

    In order of the first objective, a point is dominated by a front exactly if the front's last point is no worse in
    the second one. Those last values increase from front to front, which allows to search them.
    """
    rank: dict[Losses, int] = {}
    last: list[float] = []
    for point in sorted(set(points)):
        second = point[-1]
        front = bisect_right(last, second)
        last[front : front + 1] = [second]
        rank[point] = front
    return [rank[point] for point in points]


def _ranks_of_tuples(points: Sequence[Losses]) -> list[int]:
    """Ranks for any number of objectives. Fronts before that of a point hold one that dominates it, later ones none."""
    rank: dict[Losses, int] = {}
    fronts: list[list[Losses]] = []
    for point in sorted(set(points)):
        low, high = 0, len(fronts)
        while low < high:
            middle = (low + high) // 2
            if _is_dominated(point, fronts[middle]):
                low = middle + 1
            else:
                high = middle
        if low == len(fronts):
            fronts.append([])
        fronts[low].append(point)
        rank[point] = low
    return [rank[point] for point in points]


def _is_dominated(point: Losses, others: Sequence[Losses]) -> bool:
    """Whether one of some other, different points is nowhere worse."""
    return any(all(a <= b for a, b in zip(other, point, strict=True)) for other in reversed(others))
