"""Distributions of errors: weighted to equal cost, with bands that hold and a test that raises no false alarms."""

from __future__ import annotations

import numpy as np
import pytest

from nas.analysis.distributions import Comparison, Population, compare


def population(name: str, count: int, seed: int, *, gain: float = 0.0, richer: float = 0.0) -> Population:
    """Accuracy grows with the logarithm of the cost; `richer` populations cost more."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(richer, 0.5, count)
    return Population(name, 0.5 + 0.1 * logs + gain + rng.normal(0, 0.02, count), np.exp(logs))


def compared(first: Population, second: Population) -> Comparison:
    found = compare(first, second)
    assert isinstance(found, Comparison)
    return found


def test_a_gain_is_found_in_spite_of_different_costs() -> None:
    found = compared(population("small", 300, 0), population("large", 300, 1, gain=0.02, richer=0.3))
    assert found.gain.low < 0.02 < found.gain.high
    assert found.gain.low > 0
    assert found.p < 0.01


def test_cost_alone_is_no_gain() -> None:
    found = compared(population("small", 400, 2), population("large", 400, 3, richer=0.3))
    plain = float(population("large", 400, 3, richer=0.3).accuracy.mean() - population("small", 400, 2).accuracy.mean())
    assert plain > 0.02
    assert abs(found.gain.value) < 0.3 * plain


@pytest.mark.slow
def test_the_test_raises_few_false_alarms_and_intervals_hold() -> None:
    runs = [compared(population("one", 60, seed), population("other", 60, 1000 + seed)) for seed in range(60)]
    assert sum(one.p < 0.05 for one in runs) <= 8
    assert sum(not one.gain.low <= 0 <= one.gain.high for one in runs) <= 9


def test_curves_rise_from_nobody_to_everybody_within_their_bands() -> None:
    found = compared(population("one", 100, 0), population("other", 80, 1))
    for curve in (found.first, found.second):
        assert curve.share[-1] == pytest.approx(1)
        assert (np.diff(curve.share) >= -1e-12).all()
        assert (curve.low <= curve.share + 1e-9).all()
        assert (curve.share <= curve.high + 1e-9).all()


def test_populations_that_share_no_cost_are_not_compared() -> None:
    why = compare(population("cheap", 50, 0), population("dear", 50, 1, richer=20.0))
    assert isinstance(why, str)
    assert "cheap has 0 networks and dear 0 at costs that both have" in why
