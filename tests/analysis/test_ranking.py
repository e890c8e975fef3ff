from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import kendalltau

from nas.analysis.ranking import partial_tau, regret, same_band, tau_b

values = arrays.arrays(np.float64, 9, elements=st.integers(-3, 3).map(float))


@given(values, values)
def test_tau_is_scipys(x: np.ndarray, y: np.ndarray) -> None:
    expected = kendalltau(x, y).statistic
    assert float(tau_b(x, y)) == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_tau_of_known_rankings() -> None:
    order = np.arange(5.0)
    assert tau_b(order, order) == 1
    assert tau_b(order, -order) == -1
    assert tau_b(order, np.array([0.0, 1, 3, 2, 4])) == pytest.approx(1 - 2 / 10)  # one of ten pairs is discordant
    assert math.isnan(tau_b(order, np.ones(5)))


def test_tau_keeps_what_stands_before_the_architectures() -> None:
    drawn = np.random.default_rng(0).normal(size=(2, 3, 7))
    truth = np.arange(7.0)
    taus = tau_b(drawn, truth)
    assert taus.shape == (2, 3)
    assert taus[1, 2] == pytest.approx(kendalltau(drawn[1, 2], truth).statistic)


@given(values, values, arrays.arrays(np.int64, 9, elements=st.integers(0, 2)))
def test_weights_of_pairs_are_copies_that_are_not_compared(x: np.ndarray, y: np.ndarray, times: np.ndarray) -> None:
    copies_x, copies_y = np.repeat(x, times), np.repeat(y, times)
    expected = kendalltau(copies_x, copies_y).statistic if len(copies_x) > 1 else math.nan
    weights = np.outer(times, times).astype(float)
    assert float(tau_b(x, y, weights)) == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_partial_tau_is_kendalls() -> None:
    """The formula by hand; what depends on z alone has nothing left, what is z itself is undefined."""
    assert float(partial_tau(0.6, 0.5, 0.4)) == pytest.approx(0.4 / math.sqrt(0.75 * 0.84))
    assert float(partial_tau(0.2, 0.5, 0.4)) == pytest.approx(0)
    assert math.isnan(partial_tau(0.3, 1.0, 0.3))


def test_bands_pair_neighbours_in_cost_alone() -> None:
    costs = np.array([50.0, 1, 40, 2, 30, 3, 20])
    weights = same_band(costs, size=3)
    assert np.array_equal(weights, weights.T)
    assert not weights.diagonal().any()
    together = {tuple(sorted((costs[i], costs[j]))) for i, j in zip(*np.nonzero(weights), strict=True)}
    assert together == {*itertools.combinations((1, 2, 3, 20), 2), *itertools.combinations((30, 40, 50), 2)}


def test_regret_of_known_rankings() -> None:
    truth = np.array([0.9, 0.8, 0.5, 0.1])
    assert regret(truth, truth, top=1) == 0
    assert regret(-truth, truth, top=1) == pytest.approx(0.8)
    assert regret(-truth, truth, top=3) == pytest.approx(0.1)
    assert regret(np.array([0.0, 2, 1, 3]), truth, top=2) == pytest.approx(0.1)
    assert regret(-truth, truth, top=9) == 0


@given(values, arrays.arrays(np.float64, 9, elements=st.floats(0, 1)), st.integers(1, 9))
def test_regret_under_ties_is_the_mean_over_their_orders(scores: np.ndarray, truth: np.ndarray, top: int) -> None:
    """Against drawing orders at random: 2,000 of them leave an error of at most 0.5 / sqrt(2,000) = 0.011."""
    generator = np.random.default_rng(0)
    keys = generator.random((2000, 9))
    chosen = np.lexsort((keys, np.broadcast_to(-scores, keys.shape)))[:, :top]
    assert regret(scores, truth, top=top) == pytest.approx(truth.max() - truth[chosen].max(1).mean(), abs=0.06)


def test_random_choice_has_the_mean_as_its_regret() -> None:
    truth = np.array([0.9, 0.6, 0.3])
    assert regret(np.zeros(3), truth, top=1) == pytest.approx(0.3)
    assert regret(np.zeros(3), truth, top=2) == pytest.approx(0.9 - (0.9 + 0.9 + 0.6) / 3)
