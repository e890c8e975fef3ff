"""Hypervolume: one number for how good a front of two objectives is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nas.analysis.objectives import losses


def hypervolume(points: Sequence[Sequence[float]], *, reference: Sequence[float], maximise: Sequence[bool]) -> float:
    """Area that the points dominate, up to a reference point that is worse than all of interest.

    Exact, in O(n log n). Dominated points add nothing, nor do those that are not better than the reference in both
    objectives. Introduced as "size of the space covered" by Zitzler and Thiele, IEEE Transactions on Evolutionary
    Computation 3(4), 1999.

    Args:
        points: n points of two objectives.
        reference: the corner that bounds the area, finite.
        maximise: for both objectives, whether more of it is better; `(True, False)` for accuracy against cost.

    Raises:
        ValueError: not two objectives, a coordinate that is not a number, or an infinite area.

    >>> hypervolume([(0.5, 2.0), (0.75, 3.0)], reference=(0.0, 4.0), maximise=(True, False))
    1.25
    """
    if len(maximise) != 2:
        raise ValueError(f"hypervolume is for two objectives, got {len(maximise)}")
    (right, top), *corners = losses([reference, *points], maximise)
    if not all(math.isfinite(value) for value in (right, top, *(value for corner in corners for value in corner))):
        raise ValueError("hypervolume needs finite points and a finite reference")
    slices = []
    for x, y in sorted(corners):
        if x < right and y < top:
            slices.append((right - x) * (top - y))  # what this point adds below all before it
            top = y
    return math.fsum(slices)


def relative_hypervolume(
    points: Sequence[Sequence[float]],
    *,
    known: Sequence[Sequence[float]],
    reference: Sequence[float],
    maximise: Sequence[bool],
) -> float:
    """Hypervolume of the points as a share of that of a known front: 1.0 means as good, above 1.0 better.

    Args:
        points: n points of two objectives.
        known: the points to compare with, for example the true front of a tabular benchmark.
        reference: the corner that bounds both areas, finite.
        maximise: for both objectives, whether more of it is better.

    Raises:
        ValueError: as `hypervolume`, or no known point is better than the reference.
    """
    whole = hypervolume(known, reference=reference, maximise=maximise)
    if whole == 0:
        raise ValueError(f"no known point is better than the reference {tuple(reference)} in both objectives")
    return hypervolume(points, reference=reference, maximise=maximise) / whole
