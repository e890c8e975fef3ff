"""Linear models with intervals that hold for many statements at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy  # its parts are imported on first use: together they take a second

from nas.analysis.effects.factors import Table
from nas.analysis.ranking import Values

_RATIOS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0)  # variance of the interactions over that of the noise
_DRAWS = 10_000
_RANK = 1e-9  # singular values below this share of the largest are none
_MOST_LEVERAGE = 0.999


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted linear model.

    Attributes:
        weights: (p,) least squares of smallest norm where some are not determined.
        factor: (p, r), the covariance of the weights is factor factor'.
        undetermined: (p, q) directions in which the data say nothing.
        freedom: residual degrees of freedom.
        noise: standard deviation of what the model leaves.
        standardised: (n,) leave-one-out residuals over what the model expects of them.
    """

    weights: Values
    factor: Table
    undetermined: Table
    freedom: int
    noise: float
    standardised: Values


@dataclass(frozen=True, eq=False)
class Contrasts:
    """Estimates of several linear combinations of weights, with intervals that hold for all of them together.

    Attributes:
        value, error: (m,) estimate and standard error; NaN where the data do not determine it.
        half: (m,) half the width of the interval.
        p: (m,) adjusted p-value of its being 0.
        critical: of the largest absolute t statistic.
    """

    value: Values
    error: Values
    half: Values
    p: Values
    critical: float

    def estimate(self, index: int) -> Estimate:
        """One of them."""
        value, half = float(self.value[index]), float(self.half[index])
        return Estimate(value, value - half, value + half) if np.isfinite(value) else UNKNOWN


class Estimate(NamedTuple):
    """A value with its interval; None throughout where the data do not determine it."""

    value: float | None
    low: float | None
    high: float | None


UNKNOWN = Estimate(None, None, None)


def robust_fit(columns: Table, y: Values) -> Fit:
    """Ordinary least squares with HC3 errors, which hold where the noise differs from candidate to candidate.

    J. G. MacKinnon and H. White, Journal of Econometrics 29(3), 1985; recommended for small samples by J. S. Long and
    L. H. Ervin, The American Statistician 54(3), 2000.

    Args:
        columns: (n, p), the constant among them.
        y: (n,).
    """
    u, s, vt = scipy.linalg.svd(columns, full_matrices=False)
    rank = int((s > _RANK * s[0]).sum())
    u, inverse = u[:, :rank], (vt[:rank] / s[:rank, None]).T  # (p, r)
    weights = inverse @ (u.T @ y)
    residuals = y - columns @ weights
    leverage = np.minimum((u**2).sum(1), _MOST_LEVERAGE)
    deleted = residuals / (1 - leverage)
    freedom = len(y) - rank
    noise = float(np.sqrt((residuals**2).sum() / max(freedom, 1)))
    meat = scipy.linalg.qr(u * deleted[:, None], mode="r")[0][:rank].T  # meat meat' = sum of u u' e^2
    return Fit(
        weights=weights,
        factor=inverse @ meat,
        undetermined=_null_space(columns, rank),
        freedom=freedom,
        noise=noise,
        standardised=residuals / (noise or 1.0) / np.sqrt(1 - leverage),
    )


def mixed_fit(columns: Table, y: Values, kernel: Table) -> Fit:
    """Generalised least squares with random effects, averaged over their variance by its restricted likelihood.

    y = columns w + g + noise, where g is Gaussian with covariance proportional to `kernel`. What follows from the
    likelihood does not depend on why a candidate was looked at, as long as that followed from accuracies that are in
    the data (D. B. Rubin, 'Inference and missing data', Biometrika 63(3), 1976): so a sampler's choice does no harm
    where the model is right, and g is there for what it lacks. Candidates that share much share g, and so a
    neighbourhood that a sampler liked does not count as often as it was visited.

    Args:
        columns: (n, p), the constant among them.
        y: (n,).
        kernel: (n, n), positive semi-definite, mean of its diagonal 1.
    """
    u, s, vt = scipy.linalg.svd(columns, full_matrices=False)
    rank = int((s > _RANK * s[0]).sum())
    basis, back = u[:, :rank], (vt[:rank] / s[:rank, None]).T
    fits = [_whitened(basis, y, np.eye(len(y)) + ratio * kernel) for ratio in _RATIOS]
    best = max(fits, key=lambda one: one.likelihood)
    likely = np.exp([one.likelihood - best.likelihood for one in fits])
    likely /= likely.sum()
    weights = np.array([back @ one.weights for one in fits])  # (ratios, p)
    mean = likely @ weights
    within = [np.sqrt(share) * one.scale * (back @ one.factor) for share, one in zip(likely, fits, strict=True)]
    between = np.sqrt(likely)[:, None] * (weights - mean)
    return Fit(
        weights=mean,
        factor=np.hstack([*within, between.T]),
        undetermined=_null_space(columns, rank),
        freedom=len(y) - rank,
        noise=best.scale,
        standardised=best.left_out(),
    )


@dataclass(frozen=True, eq=False)
class _Whitened:
    """Least squares after a transformation by which the errors are independent and alike.

    Attributes:
        lower: (n, n) Cholesky factor of their covariance.
        q: (n, r) orthonormal basis of the transformed columns.
        weights, factor: (r,) and (r, r), as in `Fit`, but for the scale.
        residuals: (n,) transformed.
        scale: standard deviation of the noise.
        likelihood: restricted, its logarithm, up to a constant.
    """

    lower: Table
    q: Table
    weights: Values
    factor: Table
    residuals: Values
    scale: float
    likelihood: float

    def left_out(self) -> Values:
        """(n,) the error of each candidate's prediction from all others, over what the model expects of it.

        (P y)_i / sqrt(P_ii) with P = V^-1 - V^-1 X (X' V^-1 X)^-1 X' V^-1.
        """
        back = scipy.linalg.solve_triangular(self.lower, np.eye(len(self.lower)), lower=True)
        diagonal = (back**2).sum(0) - ((self.q.T @ back) ** 2).sum(0)
        return np.asarray(back.T @ self.residuals / np.sqrt(np.maximum(diagonal, 1e-12)) / (self.scale or 1.0))


def _whitened(basis: Table, y: Values, covariance: Table) -> _Whitened:
    n, rank = basis.shape
    lower = scipy.linalg.cholesky(covariance, lower=True)
    white = scipy.linalg.solve_triangular(lower, np.column_stack([basis, y]), lower=True)
    q, r = scipy.linalg.qr(white[:, :-1], mode="economic")
    factor = scipy.linalg.solve_triangular(r, np.eye(rank))
    weights = factor @ (q.T @ white[:, -1])
    residuals = white[:, -1] - white[:, :-1] @ weights
    variance = max(float(residuals @ residuals) / (n - rank), 1e-300)
    logs = np.log(np.abs(np.diag(lower))).sum() + np.log(np.abs(np.diag(r))).sum()
    return _Whitened(
        lower=lower,
        q=q,
        weights=weights,
        factor=factor,
        residuals=residuals,
        scale=float(np.sqrt(variance)),
        likelihood=float(-(n - rank) / 2 * np.log(variance) - logs),
    )


def contrasts(fit: Fit, rows: Table, *, confidence: float, widen: float = 1.0, seed: int = 0) -> Contrasts:
    """Linear combinations of the weights, with intervals that hold for all of them at the stated confidence.

    The critical value is the quantile of the largest of all |t|, drawn from their joint distribution, so that
    statements which say almost the same do not cost twice (T. Hothorn, F. Bretz and P. Westfall, Biometrical Journal
    50(3), 2008).

    Args:
        fit: the model.
        rows: (m, p), a combination a row.
        confidence: that all intervals hold, in (0, 1).
        widen: factor on the standard errors.
        seed: of the draws.
    """
    blank = np.full(len(rows), np.nan)
    known = np.linalg.norm(rows @ fit.undetermined, axis=1) < 1e-6 * np.linalg.norm(rows, axis=1)
    value, error, half, p = blank.copy(), blank.copy(), blank.copy(), blank.copy()
    if not known.any():
        return Contrasts(value, error, half, p, float("nan"))
    value[known] = rows[known] @ fit.weights
    parts = rows[known] @ fit.factor * widen
    error[known] = np.linalg.norm(parts, axis=1)
    largest = _largest_t(parts / np.maximum(error[known], 1e-300)[:, None], fit.freedom, seed)
    critical = float(np.quantile(largest, confidence))
    half[known] = critical * error[known]
    t = np.abs(value[known]) / np.maximum(error[known], 1e-300)
    p[known] = 1 - np.searchsorted(largest, t) / len(largest)
    return Contrasts(value, error, half, p, critical)


def _largest_t(directions: Table, freedom: int, seed: int) -> Values:
    """(draws,) sorted: the largest |t| of statistics whose correlations are those of the unit vectors (m, r)."""
    rng = np.random.default_rng(seed)
    scales = np.sqrt(scipy.stats.chi2.rvs(freedom, size=_DRAWS, random_state=rng) / freedom)
    largest = [
        np.abs(rng.standard_normal((1000, directions.shape[1])) @ directions.T).max(1) for _ in range(_DRAWS // 1000)
    ]
    return np.sort(np.concatenate(largest) / scales)


def _null_space(columns: Table, rank: int) -> Table:
    """(p, p - rank), orthonormal."""
    if rank == columns.shape[1]:
        return np.zeros((columns.shape[1], 0))
    return np.asarray(scipy.linalg.svd(columns.T @ columns)[2][rank:].T)
