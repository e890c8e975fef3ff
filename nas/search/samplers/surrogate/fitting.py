"""Hyper-parameters by maximum a posteriori, with the gradient in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported on first use: together they take a second

from nas.search.samplers.surrogate.embedding import Array, Embedding
from nas.search.samplers.surrogate.kernel import BIAS, Hyperparameters, Inputs, Kernel

JITTER = 1e-8  # added to the noise, so that repeated candidates do not make a matrix singular
_STEPS = 50
_REACH = 5.0  # standard deviations of the prior beyond which nothing is tried
_HOPELESS = 1e25  # in place of a posterior that cannot be computed


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent normal priors of the logarithms, weak ones: a standard deviation is a factor of 3 to 5.

    Their centres say: all decisions matter alike and random candidates are hardly correlated by them; they explain most
    of the variance, the noise a twentieth of it.

    Attributes:
        centre: of log weights, log signal, log noise, log slopes, in this order.
        spread: standard deviations of the same.
    """

    centre: Array
    spread: Array

    @classmethod
    def weak(cls, decisions: int, costs: int) -> Prior:
        """The priors for a number of decisions and costs."""
        weights = np.full(decisions, np.log(1.5 / max(decisions, 1)))
        centre = np.concatenate([weights, np.log([0.7, 0.05]), np.full(costs, np.log(0.5))])
        spread = np.concatenate([np.full(decisions, 1.5), [1.0, 1.5], np.full(costs, 1.5)])
        return cls(centre, spread)

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Where to look."""
        low, high = self.centre - _REACH * self.spread, self.centre + _REACH * self.spread
        return list(zip(low.tolist(), high.tolist(), strict=True))


def fit(embedding: Embedding, inputs: Inputs, targets: Array) -> Hyperparameters:
    """The most probable hyper-parameters for standardised targets (n,); the prior's centre where none can be found."""
    prior = Prior.weak(embedding.decisions, inputs.costs.shape[1])
    objective = Objective(embedding, inputs, targets, prior)
    found = scipy.optimize.minimize(
        objective, prior.centre, jac=True, method="L-BFGS-B", bounds=prior.bounds, options={"maxiter": _STEPS}
    )
    is_usable = np.isfinite(found.fun) and found.fun < _HOPELESS and np.isfinite(found.x).all()
    return unpacked(found.x if is_usable else prior.centre, embedding.decisions)


def unpacked(logarithms: Array, decisions: int) -> Hyperparameters:
    """Hyper-parameters from their logarithms, in the order of `Prior`."""
    values = np.exp(logarithms)
    return Hyperparameters(
        weights=values[:decisions],
        signal=float(values[decisions]),
        noise=float(values[decisions + 1]),
        slopes=values[decisions + 2 :],
    )


class Objective:
    """The negative log posterior of the logarithms, and its gradient.

    With K the covariance, a = K^-1 y and Q = K^-1 - a a', the derivative along t is tr(Q dK/dt) / 2 (Rasmussen and
    Williams, "Gaussian Processes for Machine Learning", 2006, equation 5.9). For a decision's weight dK/dt is minus
    the weighted distances times the exponential part, whose sum over all pairs needs two products of matrices, because
    the distances are squares of differences of features.
    """

    def __init__(self, embedding: Embedding, inputs: Inputs, targets: Array, prior: Prior) -> None:
        self._embedding = embedding
        self._inputs = inputs
        self._targets = targets
        self._prior = prior

    def __call__(self, logarithms: Array) -> tuple[float, Array]:
        """Value and gradient at the logarithms."""
        values = unpacked(logarithms, self._embedding.decisions)
        kernel = Kernel(self._embedding, values)
        points = kernel.points(self._inputs)
        alike = kernel.alike(points, points)
        covariance = alike + BIAS + (self._inputs.costs * values.slopes) @ self._inputs.costs.T
        covariance[np.diag_indices_from(covariance)] += values.noise + JITTER
        try:
            lower = scipy.linalg.cholesky(covariance, lower=True, check_finite=False)
        except (np.linalg.LinAlgError, ValueError):
            return _HOPELESS, np.zeros_like(logarithms)
        half = scipy.linalg.solve_triangular(lower, self._targets, lower=True, check_finite=False)
        weights = scipy.linalg.solve_triangular(lower, half, lower=True, trans="T", check_finite=False)
        inverse, _ = scipy.linalg.lapack.dpotri(lower, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        away = (logarithms - self._prior.centre) / self._prior.spread
        value = 0.5 * half @ half + np.log(np.diag(lower)).sum() + 0.5 * away @ away
        if not np.isfinite(value):
            return _HOPELESS, np.zeros_like(logarithms)
        gradient = self._gradient(values, inverse - np.outer(weights, weights), alike)
        return float(value), gradient + away / self._prior.spread

    def _gradient(self, values: Hyperparameters, residual: Array, alike: Array) -> Array:
        features, costs = self._inputs.features, self._inputs.costs
        pairs = residual * alike
        # sum over pairs of (f_i - f_j)^2 = 2 sum_i f_i^2 sum_j pairs_ij - 2 sum_ij f_i pairs_ij f_j
        spread = 2 * (pairs.sum(axis=1) @ np.square(features) - (features * (pairs @ features)).sum(axis=0))
        along_weights = np.bincount(
            self._embedding.decision, spread * self._embedding.scale, minlength=self._embedding.decisions
        )
        return np.concatenate(
            [
                -0.5 * values.weights * along_weights,
                [0.5 * pairs.sum(), 0.5 * values.noise * np.trace(residual)],
                0.5 * values.slopes * (costs * (residual @ costs)).sum(axis=0),
            ]
        )
