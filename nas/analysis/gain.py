"""How much more accurate the networks of one sample are than those of another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy  # its parts are imported on first use: together they take a second

from nas.analysis.bootstrap import Estimate
from nas.analysis.effects.factors import log_cost
from nas.analysis.effects.regression import contrasts, robust_fit
from nas.analysis.ranking import Values

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Mean accuracy of the second sample less that of the first.

    Attributes:
        first, second: networks of each.
        first_mean, second_mean: their accuracies.
        plain: with its 95% interval (B. L. Welch, Biometrika 34, 1947: variances may differ).
        at_equal_cost: the same with a parabola in the logarithm of the cost held fixed; NaN for a handful of networks.
    """

    first: int
    second: int
    first_mean: float
    second_mean: float
    plain: Estimate
    at_equal_cost: Estimate

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; None for what is not known."""
        found = asdict(self)
        for name in ("plain", "at_equal_cost"):
            one: Estimate = getattr(self, name)
            found[name] = {word: number if np.isfinite(number) else None for word, number in one._asdict().items()}
        return found


def gain(first: Values, first_cost: Values, second: Values, second_cost: Values) -> Gain:
    """Compare two samples (n,) and (m,) of accuracies with their costs.

    Raises:
        ValueError: fewer than two networks in one of them.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"a gain needs two networks of each sample, got {len(first)} and {len(second)}")
    value = float(second.mean() - first.mean())
    low, high = scipy.stats.ttest_ind(second, first, equal_var=False).confidence_interval(_CONFIDENCE)
    return Gain(
        first=len(first),
        second=len(second),
        first_mean=float(first.mean()),
        second_mean=float(second.mean()),
        plain=Estimate(value, float(low), float(high)),
        at_equal_cost=_at_equal_cost(first, first_cost, second, second_cost),
    )


def _at_equal_cost(first: Values, first_cost: Values, second: Values, second_cost: Values) -> Estimate:
    accuracy = np.concatenate([first, second])
    if len(accuracy) < 8:
        return Estimate(float("nan"), float("nan"), float("nan"))
    is_second = np.repeat([0.0, 1.0], [len(first), len(second)])
    z = log_cost(np.concatenate([first_cost, second_cost]))
    fit = robust_fit(np.column_stack([np.ones(len(accuracy)), z, is_second]), accuracy)
    found = contrasts(fit, np.eye(4)[3:], confidence=_CONFIDENCE)
    value, half = float(found.value[0]), float(found.half[0])
    return Estimate(value, value - half, value + half)
