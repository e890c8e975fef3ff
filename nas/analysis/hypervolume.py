"""Hypervolume: one number for how good a front is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nas.analysis.objectives import Losses, losses


def hypervolume(points: Sequence[Sequence[float]], *, reference: Sequence[float], maximise: Sequence[bool]) -> float:
    """Volume that the points dominate, up to a reference point that is worse than all of interest.

    Exact, in O(n log n) for two objectives and n times that for each further one (by slices along the last objective).
    Dominated points add nothing, nor do those that are not better than the reference in every objective. Introduced as
    "size of the space covered" by Zitzler and Thiele, IEEE Transactions on Evolutionary Computation 3(4), 1999.

    Args:
        points: n points of one objective or several.
        reference: the corner that bounds the volume, finite.
        maximise: for each objective, whether more of it is better; `(True, False)` for accuracy against cost.

    Raises:
        ValueError: no objective, a coordinate that is not a number, or an infinite volume.

    >>> hypervolume([(0.5, 2.0), (0.75, 3.0)], reference=(0.0, 4.0), maximise=(True, False))
    1.25
    """
    corner, *corners = losses([reference, *points], maximise)
    if not all(math.isfinite(value) for one in (corner, *corners) for value in one):
        raise ValueError("hypervolume needs finite points and a finite reference")
    inside = [one for one in corners if all(a < b for a, b in zip(one, corner, strict=True))]
    return _volume(sorted(set(inside), key=lambda one: one[-1]), corner)


def _volume(corners: Sequence[Losses], corner: Losses) -> float:
    """The volume between corners, in the order of their last coordinate, and the one that is worse than all."""
    *sides, top = corner
    if not corners:
        return 0.0
    if not sides:
        return top - min(one[0] for one in corners)
    if len(sides) == 1:
        return _area(sorted(corners), (sides[0], top))
    ends = [one[-1] for one in corners[1:]] + [top]
    slices = []
    for count, (one, end) in enumerate(zip(corners, ends, strict=True), start=1):
        if end > one[-1]:  # all up to here reach into this slice
            base = sorted((other[:-1] for other in corners[:count]), key=lambda other: other[-1])
            slices.append((end - one[-1]) * _volume(base, tuple(sides)))
    return math.fsum(slices)


def _area(corners: Sequence[Losses], corner: tuple[float, float]) -> float:
    """The area between corners, in the order of their first coordinate, and the one that is worse than all."""
    right, top = corner
    slices = []
    for x, y in corners:
        if y < top:
            slices.append((right - x) * (top - y))  # what this point adds below all before it
            top = y
    return math.fsum(slices)
