"""Predictors of latency: what they are fitted to are networks that were measured.

The trivial ones are there to be beaten: nobody needs a model that is no better than the FLOPs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import scipy  # its parts are imported on first use: together they take a second
from numpy.typing import NDArray

from nas.measure.prediction.features import Description, work_of

Milliseconds = NDArray[np.float64]
_SMALL = 1e-12


class Predictor(ABC):
    """Says how long networks take; fitted once, then only asked."""

    @abstractmethod
    def fit(self, networks: Sequence[Description], times: Milliseconds) -> None:
        """Learn from n networks and their milliseconds (n,)."""

    @abstractmethod
    def predict(self, networks: Sequence[Description]) -> Milliseconds:
        """Milliseconds (n,) of n networks, above 0."""


class PowerLaw(Predictor):
    """A power of the FLOPs, or of FLOPs and activations: what everybody has without measuring a block."""

    def __init__(self, columns: int) -> None:
        """1 for FLOPs alone, 2 with activations."""
        self._columns = columns
        self._weights: Milliseconds = np.zeros(columns + 1)

    def fit(self, networks: Sequence[Description], times: Milliseconds) -> None:
        """Least squares of the logarithms."""
        self._weights = np.asarray(np.linalg.lstsq(self._table(networks), np.log(times), rcond=None)[0], np.float64)

    def predict(self, networks: Sequence[Description]) -> Milliseconds:
        """See `Predictor`."""
        return np.asarray(np.exp(self._table(networks) @ self._weights))

    def _table(self, networks: Sequence[Description]) -> NDArray[np.float64]:
        totals = np.log([one.totals for one in networks])[:, : self._columns]
        return np.hstack([totals, np.ones((len(networks), 1))])


class BlockSum(Predictor):
    """A price by FLOPs and by activations for each kind of part, added up: the usual block table."""

    def __init__(self) -> None:
        self._prices: dict[str, NDArray[np.float64]] = {}
        self._rest = np.zeros(2)

    def fit(self, networks: Sequence[Description], times: Milliseconds) -> None:
        """Least squares of the relative errors, no price below 0."""
        kinds = sorted({kind for one in networks for kind in one.blocks})
        table = np.array([[one.blocks.get(kind, (0.0, 0.0)) for kind in kinds] for one in networks])
        prices = relative_nnls(table.reshape(len(networks), -1), times).reshape(-1, 2)
        self._prices = dict(zip(kinds, prices, strict=True))
        self._rest = prices.mean(axis=0)

    def predict(self, networks: Sequence[Description]) -> Milliseconds:
        """See `Predictor`; a kind that was not seen has the mean price."""
        sums = [
            sum(float(self._prices.get(kind, self._rest) @ amounts) for kind, amounts in one.blocks.items())
            for one in networks
        ]
        return np.maximum(sums, _SMALL)


class Roofline(Predictor):
    """Time for multiply-adds and time for memory traffic, by kind of operation, and a fixed one for each operation.

    The sum stands for the maximum of the roofline model (Williams, Waterman and Patterson, Communications of the ACM
    52(4), 2009), for it can be fitted without knowing which side each operation is on.
    """

    def __init__(self) -> None:
        self._prices = np.zeros(0)

    def fit(self, networks: Sequence[Description], times: Milliseconds) -> None:
        """Least squares of the relative errors, no price below 0."""
        self._prices = relative_nnls(work_of(networks), times)

    def predict(self, networks: Sequence[Description]) -> Milliseconds:
        """See `Predictor`."""
        return np.maximum(work_of(networks) @ self._prices, _SMALL)


class _Corrected(Predictor):
    """The roofline, times what is learnt about its error from the mix of operations."""

    def __init__(self) -> None:
        self._prior = Roofline()
        self._mean = self._scale = np.zeros(0)

    def fit(self, networks: Sequence[Description], times: Milliseconds) -> None:
        """The roofline first, then the logarithm of what it misses."""
        self._prior.fit(networks, times)
        table = _logs(networks)
        self._mean, self._scale = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
        self._learn(self._scaled(networks), np.log(times / self._prior.predict(networks)))

    def predict(self, networks: Sequence[Description]) -> Milliseconds:
        """See `Predictor`."""
        return np.asarray(self._prior.predict(networks) * np.exp(self._correction(self._scaled(networks))))

    def _scaled(self, networks: Sequence[Description]) -> NDArray[np.float64]:
        return np.asarray((_logs(networks) - self._mean) / self._scale)

    @abstractmethod
    def _learn(self, table: NDArray[np.float64], errors: NDArray[np.float64]) -> None: ...

    @abstractmethod
    def _correction(self, table: NDArray[np.float64]) -> NDArray[np.float64]: ...


class Boosting(_Corrected):
    """Gradient-boosted trees on the roofline's error."""

    def _learn(self, table: NDArray[np.float64], errors: NDArray[np.float64]) -> None:
        from sklearn.ensemble import GradientBoostingRegressor

        self._trees = GradientBoostingRegressor(
            n_estimators=150, max_depth=2, learning_rate=0.05, subsample=0.7, min_samples_leaf=4, random_state=0
        ).fit(table, errors)

    def _correction(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._trees.predict(table))


class GaussianProcess(_Corrected):
    """A Gaussian process on the roofline's error: squared exponential kernel, one length, noise by likelihood."""

    def _learn(self, table: NDArray[np.float64], errors: NDArray[np.float64]) -> None:
        self._table = table
        distances = _squared_distances(table, table)

        def loss(logs: NDArray[np.float64]) -> float:
            covariance = _kernel(distances, logs) + (np.exp(logs[2]) + 1e-9) * np.eye(len(errors))
            factor = scipy.linalg.cho_factor(covariance, lower=True)
            fit = 0.5 * errors @ scipy.linalg.cho_solve(factor, errors) + float(np.log(np.diag(factor[0])).sum())
            return float(fit + 0.05 * ((logs - start) ** 2).sum())  # weak prior: few networks say little of a length

        variance = float(errors.var()) + 1e-6
        start = np.array([np.log(variance), np.log(float(np.sqrt(np.median(distances))) + 1e-3), np.log(variance / 4)])
        bounds = [(value - 5, value + 5) for value in start]
        self._logs = scipy.optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
        covariance = _kernel(distances, self._logs) + (np.exp(self._logs[2]) + 1e-9) * np.eye(len(errors))
        self._weights = scipy.linalg.cho_solve(scipy.linalg.cho_factor(covariance, lower=True), errors)

    def _correction(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(_kernel(_squared_distances(table, self._table), self._logs) @ self._weights)


def relative_nnls(table: NDArray[np.float64], times: Milliseconds) -> NDArray[np.float64]:
    """Prices of at least 0 that minimise the squared relative errors of `table` (n, m) times prices.

    A touch of ridge keeps columns that say the same from taking each other's place.
    """
    scale = np.maximum(table.max(axis=0), _SMALL)
    rows = table / scale / times[:, None]
    ridge = np.sqrt(1e-4 * len(times)) * np.linalg.norm(rows, axis=0).mean() / np.sqrt(len(times))
    solution, _ = scipy.optimize.nnls(
        np.vstack([rows, ridge * np.eye(rows.shape[1])]), np.append(np.ones(len(times)), np.zeros(rows.shape[1]))
    )
    return np.asarray(solution / scale)


def _logs(networks: Sequence[Description]) -> NDArray[np.float64]:
    """Shares of the work by kind, and the totals."""
    work = work_of(networks)
    return np.log1p(work / 1e4)


def _squared_distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.maximum((one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T, 0.0))


def _kernel(distances: NDArray[np.float64], logs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(logs[0]) * np.exp(-0.5 * distances / np.exp(2 * logs[1])))


TRIVIAL: dict[str, Callable[[], Predictor]] = {
    "flops": lambda: PowerLaw(1),
    "flops_activations": lambda: PowerLaw(2),
    "block_sum": BlockSum,
}
"""Those to be beaten."""

MODELS: dict[str, Callable[[], Predictor]] = {
    "roofline": Roofline,
    "boosting": Boosting,
    "gaussian_process": GaussianProcess,
}
"""Those to choose from."""
