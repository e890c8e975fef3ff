"""Points and the direction in which each of their objectives is better."""

from __future__ import annotations

import math
from collections.abc import Sequence

Losses = tuple[float, ...]


def losses(points: Sequence[Sequence[float]], maximise: Sequence[bool]) -> list[Losses]:
    """The points with every objective turned so that less is better.

    Args:
        points: n points of as many objectives as `maximise` has entries.
        maximise: for each objective, whether more of it is better.

    Raises:
        ValueError: no objective, a point of another length, or a coordinate that is not a number.
    """
    if not maximise:
        raise ValueError("a point needs at least one objective, got an empty `maximise`")
    return [_loss(point, maximise) for point in points]


def _loss(point: Sequence[float], maximise: Sequence[bool]) -> Losses:
    if len(point) != len(maximise):
        raise ValueError(f"a point needs {len(maximise)} objectives, got {tuple(point)}")
    if any(math.isnan(value) for value in point):
        raise ValueError(f"nan cannot be compared, got {tuple(point)}")
    return tuple(-value if more else value for value, more in zip(point, maximise, strict=True))
