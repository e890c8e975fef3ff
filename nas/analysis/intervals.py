"""How far a measured accuracy can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev
from typing import NamedTuple


class Interval(NamedTuple):
    """A closed interval."""

    low: float
    high: float


def wilson(accuracy: float, images: int, *, confidence: float = 0.95) -> Interval:
    """The score interval of an accuracy measured on a number of independent images.

    Unlike accuracy +- z sqrt(accuracy (1 - accuracy) / n) it never leaves [0, 1], is not empty at 0 and 1, and keeps
    its confidence on few images. It is about the choice of images only, not about the seed of the training.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22(158), 1927; recommended by Brown, Cai and DasGupta, Statistical Science 16(2), 2001.

    Args:
        accuracy: share of the images that were classified correctly, in [0, 1].
        images: how many were classified, at least 1.
        confidence: probability that such an interval holds the true accuracy, in (0, 1).

    Raises:
        ValueError: an argument outside its range.
    """
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy must be within [0, 1], got {accuracy}")
    if images < 1:
        raise ValueError(f"an accuracy needs at least one image, got {images}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be within (0, 1), got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    shrink = 1 / (1 + z * z / images)
    centre = shrink * (accuracy + z * z / (2 * images))
    half = shrink * z * math.sqrt(accuracy * (1 - accuracy) / images + (z / (2 * images)) ** 2)
    # The bounds contain the accuracy in exact arithmetic, with equality at 0 and 1.
    return Interval(max(0.0, min(accuracy, centre - half)), min(1.0, max(accuracy, centre + half)))


def mean_interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Student's interval of the mean of independent values, such as accuracies under several seeds.

    It is about the seeds; a single value says nothing about them, so its interval is infinite.

    Args:
        values: at least one.
        confidence: probability that such an interval holds the true mean, in (0, 1).

    Raises:
        ValueError: no values, or a confidence outside its range.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be within (0, 1), got {confidence}")
    if len(values) == 1:
        return Interval(-math.inf, math.inf)
    from scipy.special import stdtrit  # 0.2 s, and only a comparison asks

    half = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * stdev(values) / math.sqrt(len(values))
    return Interval(fmean(values) - half, fmean(values) + half)
