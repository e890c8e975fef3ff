"""The first candidates: far from each other in decisions and in cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.search.samplers.surrogate.kernel import Inputs


def spread_out(inputs: Inputs, scale: NDArray[np.float64], count: int) -> list[int]:
    """Candidates (indices) each of which is as far as can be from those before it, the first one given.

    The distance is the mean one of the decisions plus that of the ranks of the first cost: random candidates of a space
    of many decisions are all about equally far apart by the former, but not by what they cost.

    Args:
        inputs: the candidates.
        scale: of their features, see `Embedding`.
        count: how many to choose.
    """
    places = inputs.features * np.sqrt(scale)
    decisions = max(float(scale.sum()), 1.0)
    ranks = _ranks(inputs.costs[:, 0]) if inputs.costs.shape[1] else np.zeros(len(inputs))
    chosen = [0]
    nearest = np.full(len(inputs), np.inf)
    while len(chosen) < min(count, len(inputs)):
        latest = chosen[-1]
        apart = np.square(places - places[latest]).sum(axis=1) / decisions + np.abs(ranks - ranks[latest])
        nearest = np.minimum(nearest, apart)
        nearest[latest] = -np.inf
        chosen.append(int(np.argmax(nearest)))
    return chosen


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks as shares of their number."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / len(values)
