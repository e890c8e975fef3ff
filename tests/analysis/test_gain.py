"""Gains with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from nas.analysis.confirmation import confirmed_rows, shrinkage
from nas.analysis.front import FrontRow
from nas.analysis.gain import gain


def test_a_gain_at_equal_cost_is_not_that_of_larger_networks() -> None:
    rng = np.random.default_rng(0)
    small, large = np.exp(rng.normal(0, 0.3, 80)), np.exp(rng.normal(0.5, 0.3, 80))
    found = gain(*((0.5 + 0.1 * np.log(c) + rng.normal(0, 0.01, 80), c)[k] for c in (small, large) for k in (0, 1)))
    assert found.plain.low > 0.02
    assert found.at_equal_cost.low < 0 < found.at_equal_cost.high


def test_intervals_hold() -> None:
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        cost = np.exp(rng.normal(0, 0.3, 30))
        found = gain(rng.normal(0.5, 0.01, 15), cost[:15], rng.normal(0.51, 0.02, 15), cost[15:])
        hits += found.plain.low <= 0.01 <= found.plain.high
    assert hits >= 34


def test_one_network_is_too_few() -> None:
    with pytest.raises(ValueError, match="two networks"):
        gain(np.ones(1), np.ones(1), np.ones(3), np.ones(3))


def front_row(identity: str, accuracy: float, flops: int) -> FrontRow:
    return FrontRow(
        id=identity, accuracy=accuracy, flops=flops, params=1, activations=1, train_flops=flops, train_params=1,
        share=None, rung=0, seeds=1, seconds=1.0, weights=None, latency={}, decisions={},
    )  # fmt: skip


def test_only_what_no_other_beats_remains() -> None:
    front = [front_row("a", 0.5, 1), front_row("b", 0.6, 2), front_row("c", 0.7, 3), front_row("d", 0.8, 4)]
    rows = confirmed_rows(front, {"a": [0.5, 0.52], "b": [0.49, 0.5], "c": [0.66]}, ["flops"])
    assert [row.remains for row in rows] == [True, False, True, False]
    assert [row.seeds for row in rows] == [2, 2, 1, 0]
    assert rows[2].low is None
    assert shrinkage(rows) == pytest.approx((0.5 - 0.51 + 0.6 - 0.495 + 0.7 - 0.66) / 3)
