"""What is believed about candidates, brought up to date one observation at a time."""

from __future__ import annotations

import numpy as np
import scipy  # its parts are imported on first use: together they take a second

from nas.search.samplers.surrogate.embedding import Array
from nas.search.samplers.surrogate.fitting import JITTER
from nas.search.samplers.surrogate.kernel import Inputs, Kernel, Points

_SMALLEST = 1e-10  # variance
_ATTEMPTS = 6  # at a Cholesky factor, each with ten times the jitter of the one before


class Posterior:
    """Means and variances of growing sets of candidates under growing sets of observations.

    With L the Cholesky factor of the observations' covariance, it keeps V = L^-1 K(observations, candidates), from
    which mean and variance follow. An observation adds a row to L and V, which costs one pass over V instead of a new
    factorisation; a candidate adds a column.

    Attributes:
        means: of the candidates (m,), in the order in which they were considered.
        variances: of their accuracies without noise (m,).
    """

    def __init__(self, kernel: Kernel, observed: Inputs, targets: Array, *, room: int) -> None:
        """Condition on targets.

        Args:
            kernel: the covariance.
            observed: the candidates the targets belong to, at least one.
            targets: standardised accuracies (n,).
            room: how many observations `observe` will add at most.
        """
        self._kernel = kernel
        self._noise = kernel.hyperparameters.noise + JITTER
        self._observed = kernel.points(observed)
        self._candidates = self._observed.some(slice(0))
        count, size = len(observed), len(observed) + room
        self._lower = np.zeros((size, size))
        self._lower[:count, :count] = factor(self._with_noise(kernel.between(self._observed, self._observed)))
        self._targets = targets
        self._half = self._solve(targets)
        self._projected = np.zeros((size, 0))
        self.means = np.empty(0)
        self.variances = np.empty(0)

    def consider(self, candidates: Inputs) -> None:
        """Add candidates behind those there are."""
        points = self._kernel.points(candidates)
        projected = self._project(points)
        room = ((0, len(self._projected) - len(projected)), (0, 0))
        self._projected = np.concatenate([self._projected, np.pad(projected, room)], axis=1)
        self._candidates = self._candidates.and_then(points)
        means, variances = self._moments(projected, points)
        self.means = np.concatenate([self.means, means])
        self.variances = np.concatenate([self.variances, variances])

    def observe(self, candidate: Inputs, target: float) -> None:
        """Condition on the target of one more candidate."""
        count = len(self._observed)
        point = self._kernel.points(candidate)
        row = self._project(point)[:, 0]
        prior = float(self._kernel.variances(point)[0])
        pivot = float(np.sqrt(max(prior - float(row @ row), _SMALLEST) + self._noise))
        half = (target - float(row @ self._half)) / pivot
        covariances = self._kernel.between(point, self._candidates)[0]
        added = (covariances - row @ self._projected[:count]) / pivot
        self._projected[count] = added
        self._lower[count, :count], self._lower[count, count] = row, pivot
        self._targets = np.append(self._targets, target)
        self._half = np.append(self._half, half)
        self._observed = self._observed.and_then(point)
        self.means = self.means + half * added
        self.variances = np.maximum(self.variances - np.square(added), _SMALLEST)

    def fitted(self) -> Array:
        """Means of the observed candidates: what is believed of them once their noise is taken off (n,)."""
        count = len(self._observed)
        lower = self._lower[:count, :count]
        residual = scipy.linalg.solve_triangular(lower, self._half, lower=True, trans="T", check_finite=False)
        return np.asarray(self._targets - self._noise * residual)

    def at(self, candidates: Inputs, *, pending: Inputs) -> tuple[Array, Array]:
        """Means and variances (n,) of anything, if the pending ones came out at their means."""
        points, awaited = self._kernel.points(candidates), self._kernel.points(pending)
        projected = self._project(points)
        means, variances = self._moments(projected, points)
        return means, self._reduced(variances, awaited, points, projected)

    def variances_given(self, pending: Inputs) -> Array:
        """The variances of the candidates if the pending ones came out at their means, which leaves all means alone."""
        projected = self._projected[: len(self._observed)]
        return self._reduced(self.variances, self._kernel.points(pending), self._candidates, projected)

    def _reduced(self, variances: Array, pending: Points, points: Points, projected: Array) -> Array:
        if not len(pending):
            return variances
        awaited = self._project(pending)
        among = self._with_noise(self._kernel.between(pending, pending) - awaited.T @ awaited)
        covariances = self._kernel.between(pending, points) - awaited.T @ projected
        shares = scipy.linalg.solve_triangular(factor(among), covariances, lower=True, check_finite=False)
        return np.asarray(np.maximum(variances - np.square(shares).sum(axis=0), _SMALLEST))

    def _with_noise(self, covariance: Array) -> Array:
        covariance[np.diag_indices_from(covariance)] += self._noise
        return covariance

    def _project(self, points: Points) -> Array:
        return self._solve(self._kernel.between(self._observed, points))

    def _solve(self, right: Array) -> Array:
        count = len(self._observed)
        return np.asarray(
            scipy.linalg.solve_triangular(self._lower[:count, :count], right, lower=True, check_finite=False)
        )

    def _moments(self, projected: Array, points: Points) -> tuple[Array, Array]:
        variances = self._kernel.variances(points) - np.square(projected).sum(axis=0)
        return self._half @ projected, np.maximum(variances, _SMALLEST)


def factor(covariance: Array) -> Array:
    """The lower Cholesky factor; where rounding stands in the way, of a matrix with a little more on its diagonal.

    Raises:
        np.linalg.LinAlgError: the matrix is far from positive definite.
    """
    extra = JITTER * float(np.trace(covariance)) / len(covariance)
    for attempt in range(_ATTEMPTS):
        try:
            return np.asarray(scipy.linalg.cholesky(covariance, lower=True, check_finite=False))
        except np.linalg.LinAlgError:
            covariance = covariance + extra * 10**attempt * np.eye(len(covariance))
    return np.asarray(scipy.linalg.cholesky(covariance, lower=True, check_finite=False))
