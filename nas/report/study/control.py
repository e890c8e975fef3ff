"""What a sampler gains over the random candidates that were drawn beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance

from nas.analysis.bootstrap import Estimate
from nas.analysis.effects.importance import at_equal_cost
from nas.analysis.outcomes import Origin, Outcome

_LEAST = 5  # candidates on either side


def search_gain(outcomes: Sequence[Outcome], cost: str) -> Estimate | None:
    """Mean accuracy at equal cost of chosen candidates above that of random ones, with its 95 % interval.

    The interval is Welch's (Biometrika 34, 1947) with normal quantiles; None for too few of either.
    """
    if not outcomes:
        return None
    above = at_equal_cost(outcomes, cost)
    by: dict[Origin, list[float]] = {origin: [] for origin in Origin}
    for value, one in zip(above, outcomes, strict=True):
        by[one.origin].append(float(value))
    chosen, drawn = by[Origin.CHOSEN], by[Origin.RANDOM]
    if min(len(chosen), len(drawn)) < _LEAST:
        return None
    value = fmean(chosen) - fmean(drawn)
    half = NormalDist().inv_cdf(0.975) * math.sqrt(variance(chosen) / len(chosen) + variance(drawn) / len(drawn))
    return Estimate(value, value - half, value + half)
