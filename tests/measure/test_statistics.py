from __future__ import annotations

import random
from statistics import median

import pytest
from hypothesis import given, strategies as st

from nas.measure.statistics import median_interval, summarise, upper_bound

times = st.floats(0.01, 1e4)


def test_mlperf_takes_64_runs_to_drop_one_and_44_to_drop_none() -> None:
    """The counts of MLPerf's early stopping for p90 at 99 % confidence."""
    rising = [float(one) for one in range(1, 101)]
    assert upper_bound(rising[:43])[1] < 0.99 <= upper_bound(rising[:44])[1]
    assert upper_bound(rising[:63])[0] == 63
    assert upper_bound(rising[:64])[0] == 63


@pytest.mark.parametrize(("count", "outside"), [(1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (10, 1), (20, 5), (100, 39)])
def test_the_interval_is_that_of_the_sign_test(count: int, outside: int) -> None:
    """Ranks of tables of the binomial distribution: of 20 the 6th and the 15th, of 100 the 40th and the 61st."""
    assert median_interval(range(count)) == (outside, count - 1 - outside)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    rng = random.Random(0)
    held = 0
    for _ in range(1000):
        low, high = median_interval([rng.lognormvariate(0, 1) for _ in range(15)])
        held += low <= 1 <= high
    assert 940 <= held <= 985  # of 15 values the exact confidence is 96.5 %


@given(st.lists(st.lists(times, min_size=1, max_size=5), min_size=1, max_size=12))
def test_a_summary_is_in_order(rounds: list[list[float]]) -> None:
    summary = summarise(rounds)
    flat = [one for some in rounds for one in some]
    assert summary.median == median(flat)
    assert min(flat) <= summary.low <= summary.median <= summary.high <= max(flat)
    assert summary.p90 in flat
    assert summary.runs == len(flat)
    assert summary.spread >= 0
