"""The covariance of accuracies: alike in their decisions, and linear in the logarithm of their costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.search.samplers.surrogate.embedding import Array, Embedding

BIAS = 1.0  # variance of the constant, in units of the accuracies' variance


@dataclass(frozen=True, kw_only=True, eq=False)
class Hyperparameters:
    """What the data decide about the covariance; accuracies are standardised.

    Attributes:
        weights: how much each decision matters (decisions,): the distance at which covariance falls by a factor of e.
        signal: variance of what decisions explain beyond costs.
        noise: variance of a training's accuracy around the network's own.
        slopes: variance of the slope along each log cost (costs,), which are standardised.
    """

    weights: Array
    signal: float
    noise: float
    slopes: Array


@dataclass(frozen=True, eq=False)
class Inputs:
    """Candidates as the covariance sees them.

    Attributes:
        features: (n, features), see `Embedding`.
        costs: standardised log costs (n, costs).
    """

    features: Array
    costs: Array

    def __len__(self) -> int:
        """How many there are."""
        return len(self.features)


class Points(NamedTuple):
    """Candidates as one kernel sees them: distances between these rows are the weighted ones.

    Attributes:
        places: (n, features).
        squares: squared lengths of the same (n,).
        costs: as in `Inputs`.
    """

    places: Array
    squares: Array
    costs: Array

    def __len__(self) -> int:
        """How many there are."""
        return len(self.squares)

    def some(self, which: NDArray[np.integer] | slice) -> Points:
        """Those of an index."""
        return Points(self.places[which], self.squares[which], self.costs[which])

    def and_then(self, others: Points) -> Points:
        """These, then others."""
        return Points(*(np.concatenate(pair) for pair in zip(self, others, strict=True)))


class Kernel:
    """signal * exp(-sum_d weights_d distance_d) + sum_k slopes_k cost_k cost'_k + bias, without the noise."""

    def __init__(self, embedding: Embedding, hyperparameters: Hyperparameters) -> None:
        """The covariance under given hyper-parameters."""
        self.hyperparameters = hyperparameters
        self._stretch = np.sqrt(hyperparameters.weights[embedding.decision] * embedding.scale)

    def points(self, inputs: Inputs) -> Points:
        """Candidates in the form that the other methods take."""
        places = inputs.features * self._stretch
        return Points(places, np.square(places).sum(axis=1), inputs.costs)

    def alike(self, one: Points, other: Points) -> Array:
        """The part of the covariances (n, m) that decisions make."""
        distances = one.squares[:, None] + other.squares[None, :] - 2 * (one.places @ other.places.T)
        return np.asarray(self.hyperparameters.signal * np.exp(-np.maximum(distances, 0.0)))

    def between(self, one: Points, other: Points) -> Array:
        """Covariances (n, m)."""
        return self.alike(one, other) + BIAS + (one.costs * self.hyperparameters.slopes) @ other.costs.T

    def variances(self, points: Points) -> Array:
        """The diagonal of `between(points, points)`, (n,)."""
        return np.asarray(self.hyperparameters.signal + BIAS + np.square(points.costs) @ self.hyperparameters.slopes)
