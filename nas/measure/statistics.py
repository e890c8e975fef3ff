"""What a row of measured times says: order statistics only, for times are skewed and never normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

PERCENTILE = 0.9
CONFIDENCE = 0.99
"""With which the reported p90 is not below the true one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Times of one network, in the unit they came in.

    Attributes:
        median: of all runs.
        low, high: interval of the median, by order statistics of the rounds' medians (95 % from six rounds on).
        p90: upper bound of the 90th percentile.
        p90_confidence: probability that the bound holds; below 0.99 there were too few runs.
        runs: how many.
        spread: interquartile range over median.
    """

    median: float
    low: float
    high: float
    p90: float
    p90_confidence: float
    runs: int
    spread: float

    @property
    def half_width(self) -> float:
        """Of the interval, relative to the median."""
        return (self.high - self.low) / 2 / self.median


def summarise(rounds: Sequence[Sequence[float]]) -> Summary:
    """The summary of the runs of some rounds.

    The runs of a round share what the machine does meanwhile; only rounds are independent of each other, so the
    interval is that of the median of the rounds' medians.

    Args:
        rounds: at least one, each with at least one time above 0.
    """
    times = sorted(time for one in rounds for time in one)
    middle = median(times)
    low, high = median_interval([median(one) for one in rounds])
    p90, confidence = upper_bound(times)
    return Summary(
        median=middle,
        low=min(low, middle),
        high=max(high, middle),
        p90=p90,
        p90_confidence=confidence,
        runs=len(times),
        spread=(_quantile(times, 0.75) - _quantile(times, 0.25)) / middle,
    )


def median_interval(values: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float]:
    """The narrowest pair of order statistics around the median that holds it with this confidence.

    The number of values below the true median is binomial with p = 1/2. Up to five values cannot give 95 %: the
    interval is then from the smallest to the largest.
    """
    ordered = sorted(values)
    count = len(ordered)
    outside, tail = 0, 0.0
    while outside < (count - 1) // 2:
        tail += comb(count, outside) / 2.0**count
        if 1 - 2 * tail < confidence:
            break
        outside += 1
    start = max(0, outside - 1)
    return ordered[start], ordered[count - 1 - start]


def upper_bound(ordered: Sequence[float]) -> tuple[float, float]:
    """The smallest order statistic that is, with 99 % confidence, not below the 90th percentile; and that confidence.

    MLPerf's early stopping for single streams ('MLPerf Inference Benchmark', arXiv:1911.02549, section 3.4, and its
    later rules): of 64 times one may be dropped. With fewer than 44 the largest is given, with the lower confidence it
    has. Unlike there, at most a tenth of the times is looked at from the top.

    Args:
        ordered: times in rising order, at least one.
    """
    count = len(ordered)
    tail, above = PERCENTILE**count, 0  # probability that at most `above` of the times are above the percentile
    while above < count // 10:
        next_tail = tail + comb(count, above + 1) * (1 - PERCENTILE) ** (above + 1) * PERCENTILE ** (count - above - 1)
        if 1 - next_tail < CONFIDENCE:
            break
        tail, above = next_tail, above + 1
    return ordered[count - 1 - above], 1 - tail


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
