"""How well one ranking of architectures agrees with another.

All values are 'higher is better'. Architectures stand along the last axis; what stands before it, such as seeds, is
kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""(..., n), one value an architecture."""
Pairs = NDArray[np.float64]
"""(..., n, n), one value a pair of architectures."""


def pair_signs(values: Values) -> Pairs:
    """(..., n) -> (..., n, n): 1 where the row's architecture is better, -1 where the column's is, 0 at a tie."""
    return np.sign(values[..., :, None] - values[..., None, :])


def tau_b(x: Values, y: Values, weights: Pairs | None = None) -> Values:
    """Kendall's tau-b: the share of concordant minus that of discordant pairs, corrected for ties.

    sum w sign(x_i - x_j) sign(y_i - y_j) / sqrt(sum w [x_i != x_j] * sum w [y_i != y_j]); M. G. Kendall, 'The treatment
    of ties in ranking problems', Biometrika 33(3), 1945. Weights restrict it to some pairs, or count an architecture
    several times without making the copies a pair.

    Args:
        x: (..., n).
        y: (..., n); what stands before n is broadcast.
        weights: (n, n) or (b, n, n), symmetric, of each pair; None counts all alike.

    Returns:
        (...), or (b, ...) for b sets of weights, in [-1, 1]; NaN where one side has no two different values among the
        pairs that count.
    """
    signs_x, signs_y = pair_signs(x), pair_signs(y)
    counted = np.ones(signs_x.shape[-2:]) if weights is None else weights
    signs_x, signs_y = np.broadcast_arrays(signs_x, signs_y)
    agreeing, untied_x, untied_y = (
        np.tensordot(counted, pairs, axes=((-2, -1), (-2, -1)))
        for pairs in (signs_x * signs_y, np.abs(signs_x), np.abs(signs_y))
    )
    untied = np.sqrt(untied_x * untied_y)
    return _divided(agreeing, untied, where=untied > 0)


def partial_tau(xy: Values, xz: Values, yz: Values) -> Values:
    """Kendall's partial tau of x and y with z held fixed, from the three taus.

    (xy - xz yz) / sqrt((1 - xz^2) (1 - yz^2)); M. G. Kendall, 'Partial rank correlation', Biometrika 32(3-4), 1942.
    NaN where x or y is nothing but z.
    """
    rest = np.asarray((1 - np.square(xz)) * (1 - np.square(yz)))
    known = rest > 1e-12  # of two equal rankings, rounding leaves less
    return _divided(xy - xz * yz, np.sqrt(np.abs(rest)), where=known)


def same_band(costs: Values, *, size: int) -> Pairs:
    """Weights that leave only pairs of similar cost: 1 within a band, 0 elsewhere and on the diagonal.

    Args:
        costs: (n,).
        size: architectures in a band, at least; bands are cut from the order of costs and are as equal as can be.
    """
    rank = np.argsort(np.argsort(costs, kind="stable"), kind="stable")
    band = rank * max(1, len(costs) // size) // len(costs)
    weights: Pairs = (band[:, None] == band[None, :]).astype(np.float64)
    np.fill_diagonal(weights, 0.0)
    return weights


def regret(scores: Values, truth: Values, *, top: int) -> float:
    """What one loses by looking only at the `top` architectures with the highest scores.

    The truth of the best architecture minus the expected best truth among those `top`, where scores that tie at the
    border are drawn without preference. Equal scores throughout are a random choice, whose regret is exact too.

    Args:
        scores: (n,).
        truth: (n,), such as accuracies; the regret is in the same unit.
        top: how many are looked at, at least 1; at most n count.
    """
    top = min(top, len(scores))
    border = np.sort(scores)[-top]
    sure, tied = truth[scores > border], np.sort(truth[scores == border])[::-1]
    floor = float(sure.max()) if len(sure) else -math.inf
    chances = _chances_of_best(len(tied), top - len(sure))
    expected = math.fsum(chance * max(floor, float(best)) for chance, best in zip(chances, tied, strict=True) if chance)
    return max(0.0, float(truth.max()) - expected)


def _chances_of_best(count: int, drawn: int) -> Sequence[float]:
    """The probability of each of `count` things, the best one first, to be the best of `drawn` drawn ones."""
    return [math.comb(count - 1 - index, drawn - 1) / math.comb(count, drawn) for index in range(count)]


def _divided(above: Values, below: Values, *, where: NDArray[np.bool_]) -> Values:
    quotient = np.full(np.shape(below), math.nan)
    np.divide(above, below, out=quotient, where=where)
    return quotient
