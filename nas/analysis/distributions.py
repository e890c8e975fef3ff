"""Populations of networks compared by the distribution of their errors, at equal complexity.

I. Radosavovic, R. P. Kosaraju, R. Girshick, K. He and P. Dollar, 'Designing Network Design Spaces' (arXiv:2003.13678),
section 3.1, after 'On Network Design Spaces for Visual Recognition' (arXiv:1905.13214), section 3: not the best network
of each decides, but how many of each are how good, once both are weighted to the same distribution of complexity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from nas.analysis.bootstrap import Estimate
from nas.analysis.intervals import wilson
from nas.analysis.ranking import Values

Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]
Table = NDArray[np.float64]

FEWEST = 10
"""Networks of a population, at least."""
BINS = 10
"""Of cost, at most; fewer where there are not enough networks to fill them."""
_OF_A_BIN = 8
_FEWEST_OF_A_BIN = 2
_PERMUTATIONS = 1000
_POINTS = 101


class Population(NamedTuple):
    """Networks with their accuracies and costs, (n,) each."""

    name: str
    accuracy: Values
    cost: Values


@dataclass(frozen=True, eq=False)
class Curve:
    """The weighted empirical distribution of a population's errors.

    Attributes:
        name: of the population.
        networks: within the range of cost that both have.
        share: (points,) of the networks with at most the error of the grid.
        low, high: (points,) pointwise 95% band.
    """

    name: str
    networks: int
    share: Values
    low: Values
    high: Values


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two populations at equal cost.

    Attributes:
        errors: (points,) the grid, 1 - top-1.
        first, second: their curves.
        gain: mean accuracy of the second less that of the first, with its 95% interval.
        distance: largest vertical distance of the curves (Kolmogorov-Smirnov).
        p: how often populations that differ in nothing but their names are as far apart, or farther.
        cost_low, cost_high: the range of cost they were compared in.
        doubt: why nothing can be told; empty where something can.
    """

    errors: Values
    first: Curve
    second: Curve
    gain: Estimate
    distance: float
    p: float
    cost_low: float
    cost_high: float
    doubt: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "first": _plain(self.first),
            "second": _plain(self.second),
            "errors": [round(float(error), 6) for error in self.errors],
            "gain": self.gain.value,
            "low": self.gain.low,
            "high": self.gain.high,
            "distance": self.distance,
            "p": self.p,
            "cost": [self.cost_low, self.cost_high],
            "doubt": self.doubt,
        }


def compare(first: Population, second: Population, *, doubt: str = "", seed: int = 0) -> Comparison | str:
    """Compare two populations, weighted to equal complexity.

    Costs are cut into bins of the pooled quantiles; in each bin both populations count alike, whatever their numbers
    (arXiv:1905.13214, section 3.3, with weights for bins instead of for models). Bins in which one of them has hardly
    anybody are left out. The interval of the gain is B. L. Welch's over the bins (Biometrika 34, 1947), the band of a
    curve Wilson's of as many networks as the weights leave (L. Kish, 'Survey Sampling', 1965, section 11.7); bins of
    two to five networks are too small for a bootstrap, whose 95 % held 78 to 93 % in simulations. The p-value of the
    distance is of permutations of the names within the bins, since the classical one knows no weights.

    Args:
        first: a population.
        second: another one; a gain is what it has over the first.
        doubt: why the comparison would not be fair, to be passed on.
        seed: of the resampling.

    Returns:
        The comparison, or why there is none.
    """
    accuracy = np.concatenate([first.accuracy, second.accuracy])
    costs = np.concatenate([first.cost, second.cost])
    is_second = np.repeat([False, True], [len(first.accuracy), len(second.accuracy)])
    bins = _bins(costs)
    kept = np.isin(bins, [one for one in np.unique(bins) if _enough(is_second[bins == one])])
    accuracy, costs, is_second, bins = accuracy[kept], costs[kept], is_second[kept], bins[kept]
    counts = int((~is_second).sum()), int(is_second.sum())
    if min(counts) < FEWEST:
        return (
            f"{first.name} has {counts[0]} networks and {second.name} {counts[1]} at costs that both have; "
            f"{FEWEST} of each are the least"
        )
    errors = np.linspace(1 - accuracy.max(), 1 - accuracy.min(), _POINTS)
    below = (1 - accuracy[:, None] <= errors + 1e-12).astype(float)  # (n, points)
    one, other = (_Side.of(accuracy, bins, side) for side in (~is_second, is_second))
    shares = one.weights @ below, other.weights @ below
    distance = float(np.abs(shares[0] - shares[1]).max())
    return Comparison(
        errors=errors,
        first=Curve(first.name, counts[0], shares[0], *one.band(shares[0])),
        second=Curve(second.name, counts[1], shares[1], *other.band(shares[1])),
        gain=_gain(one, other),
        distance=distance,
        p=_permuted(below, bins, is_second, distance, np.random.default_rng(seed)),
        cost_low=float(costs.min()),
        cost_high=float(costs.max()),
        doubt=doubt,
    )


class _Side(NamedTuple):
    """A weighted population.

    Attributes:
        weights: (n,) of all networks, 0 of those of the other side.
        mean: accuracy.
        parts: (bins,) that each bin adds to the variance of the mean.
        freedoms: (bins,) degrees of freedom of each part.
    """

    weights: Values
    mean: float
    parts: Values
    freedoms: Values

    @classmethod
    def of(cls, accuracy: Values, bins: Codes, side: Mask) -> _Side:
        weights = np.where(side, _rates(bins, side), 0.0)
        members = [np.flatnonzero(side & (bins == one)) for one in np.unique(bins)]
        parts = [weights[one].sum() ** 2 * accuracy[one].var(ddof=1) / len(one) for one in members]
        freedoms = [len(one) - 1 for one in members]
        return cls(weights, float(weights @ accuracy), np.array(parts), np.array(freedoms, float))

    def band(self, share: Values) -> tuple[Values, Values]:
        """Pointwise."""
        networks = int(1 / np.square(self.weights).sum())
        low, high = zip(*(wilson(min(max(one, 0.0), 1.0), networks) for one in share.tolist()), strict=True)
        return np.array(low), np.array(high)


def _gain(one: _Side, other: _Side) -> Estimate:
    value = other.mean - one.mean
    parts, freedoms = np.concatenate([one.parts, other.parts]), np.concatenate([one.freedoms, other.freedoms])
    variance = float(parts.sum())
    if not variance:
        return Estimate(value, value, value)
    half = float(stdtrit(variance**2 / (parts**2 / freedoms).sum(), 0.975)) * math.sqrt(variance)
    return Estimate(value, value - half, value + half)


def _permuted(below: Table, bins: Codes, is_second: Mask, distance: float, rng: np.random.Generator) -> float:
    """Share of permutations within the bins that are at least as far apart."""
    sides = np.tile(is_second, (_PERMUTATIONS, 1))
    for one in np.unique(bins):
        members = np.flatnonzero(bins == one)
        sides[:, members] = rng.permuted(sides[:, members], axis=1)
    difference = np.where(sides, _rates(bins, is_second), -_rates(bins, ~is_second)) @ below
    return float((1 + (np.abs(difference).max(1) >= distance - 1e-12).sum()) / (1 + _PERMUTATIONS))


def _rates(bins: Codes, side: Mask) -> Values:
    """(n,) what a network would weigh on a side: each bin as much as its share of all networks, alike within it."""
    size, own = np.bincount(bins), np.bincount(bins[side], minlength=bins.max() + 1)
    return np.asarray(size[bins] / np.maximum(own[bins], 1) / len(bins))


def _bins(costs: Values) -> Codes:
    count = max(1, min(BINS, len(costs) // _OF_A_BIN))
    edges = np.quantile(costs, np.linspace(0, 1, count + 1)[1:-1])
    return np.asarray(np.searchsorted(edges, costs, side="right"))


def _enough(is_second: Mask) -> bool:
    return min(int(is_second.sum()), int((~is_second).sum())) >= _FEWEST_OF_A_BIN


def _plain(curve: Curve) -> dict[str, Any]:
    return {
        "name": curve.name,
        "networks": curve.networks,
        "share": [round(float(one), 4) for one in curve.share],
        "low": [round(float(one), 4) for one in curve.low],
        "high": [round(float(one), 4) for one in curve.high],
    }
