"""Bootstrap intervals over architectures, with seeds within them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.analysis.ranking import Pairs, Values


class Estimate(NamedTuple):
    """A number with its interval; NaN where nothing can be said."""

    value: float
    low: float
    high: float


class Resample(NamedTuple):
    """One bootstrap sample.

    Attributes:
        weights: (n, n), how often each pair of architectures was drawn. An architecture that was drawn twice is not
            compared with itself: that would be a pair of seeds, not of architectures.
        seeds: (S, n), which seeds of each architecture were drawn.
    """

    weights: Pairs
    seeds: NDArray[np.intp]

    def of(self, values: Values) -> Values:
        """(..., S, n) with the drawn seeds of each architecture."""
        return np.take_along_axis(values, self.seeds.reshape((1,) * (values.ndim - 2) + self.seeds.shape), axis=-2)


def resamples(architectures: int, seeds: int, *, count: int, seed: int) -> Iterator[Resample]:
    """Draw architectures with replacement, and within each its seeds with replacement.

    Args:
        architectures: n.
        seeds: S.
        count: how many samples.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    for _ in range(count):
        times = np.bincount(generator.integers(architectures, size=architectures), minlength=architectures)
        chosen = generator.integers(seeds, size=(seeds, architectures))
        yield Resample(np.outer(times, times).astype(np.float64), chosen)


def percentile_estimate(value: float, replicates: Values, *, confidence: float = 0.95) -> Estimate:
    """A value with the percentile interval of its bootstrap replicates (B. Efron, Annals of Statistics 7(1), 1979).

    Args:
        value: of the whole sample.
        replicates: (B,); those that are NaN, because everything in a sample tied, are left out.
        confidence: of the interval, in (0, 1).
    """
    known = replicates[np.isfinite(replicates)]
    if not math.isfinite(value) or not len(known):
        return Estimate(value, math.nan, math.nan)
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return Estimate(value, float(low), float(high))
