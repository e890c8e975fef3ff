from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, strategies as st

from nas.analysis.proxy_health import (
    HealthRow,
    Measure,
    State,
    Trained,
    Yardstick,
    expected_health,
    proxy_health,
    warnings,
)

DIGITS = Yardstick(images=360, chance=0.1)


def study(accuracies: list[float], *, rung: int = 0, seed: int = 0) -> list[Trained]:
    return [
        Trained(architecture_id=f"net-{index:04}", seed=seed, rung=rung, accuracy=accuracy)
        for index, accuracy in enumerate(accuracies)
    ]


def found(rows: list[HealthRow], measure: Measure, rung: int = 0) -> HealthRow:
    return next(row for row in rows if (row.measure, row.rung) == (measure, rung))


def guesses(count: int) -> list[float]:
    draw = random.Random(0)
    return [sum(draw.random() < 0.1 for _ in range(360)) / 360 for _ in range(count)]


def test_networks_that_guess_are_near_chance_and_alike() -> None:
    rows = proxy_health(study(guesses(200)), DIGITS)
    near, apart = found(rows, Measure.NEAR_CHANCE), found(rows, Measure.TOLD_APART)
    assert near.state is apart.state is State.POOR
    assert near.value == pytest.approx(0.975, abs=0.03)  # the one-sided share of a 95 % interval
    assert apart.value == pytest.approx(0.05, abs=0.02)  # of equal networks, one pair in twenty seems to differ
    assert near.advice
    assert found(rows, Measure.AT_CEILING).state is State.GOOD


def test_networks_that_are_all_right_are_at_the_ceiling() -> None:
    rows = proxy_health(study([0.99, 0.995, 0.992, 1.0, 0.98, 0.997]), DIGITS)
    assert found(rows, Measure.AT_CEILING).value == pytest.approx(5 / 6)
    assert {row.measure for row in warnings(rows)} == {Measure.AT_CEILING, Measure.TOLD_APART}


def test_a_wide_ranking_between_chance_and_ceiling_has_no_warning() -> None:
    rows = proxy_health(study([0.3, 0.4, 0.5, 0.6, 0.7, 0.8]), DIGITS)
    assert not warnings(rows)
    assert [row.measure for row in rows] == [Measure.NEAR_CHANCE, Measure.AT_CEILING, Measure.TOLD_APART]


def test_rungs_that_contradict_each_other() -> None:
    low, high = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8], [0.95, 0.9, 0.85, 0.8, 0.7, 0.6]
    rows = proxy_health([*study(low), *study(high, rung=1)], DIGITS)
    assert found(rows, Measure.RUNGS_AGREE).value == pytest.approx(-1)
    assert found(rows, Measure.RUNGS_AGREE).state is State.POOR
    same = proxy_health([*study(low), *study(low, rung=1)], DIGITS)
    assert found(same, Measure.RUNGS_AGREE).value == pytest.approx(1)


def test_seeds_that_differ_more_than_networks_do() -> None:
    first, second = [0.50, 0.60, 0.52, 0.61, 0.5, 0.6], [0.6, 0.5, 0.61, 0.52, 0.6, 0.5]
    rows = proxy_health([*study(first), *study(second, seed=1)], DIGITS)
    spread = found(rows, Measure.SEEDS_SPREAD)
    assert spread.value == pytest.approx(0.0687, abs=1e-3)
    assert spread.state is State.POOR
    assert found(rows, Measure.SEEDS_AGREE).state is State.POOR
    steady = proxy_health([*study(first), *study([one + 0.01 for one in first], seed=1)], DIGITS)
    assert found(steady, Measure.SEEDS_AGREE).value == pytest.approx(1)
    assert found(steady, Measure.SEEDS_SPREAD).state is State.GOOD


def test_too_little_is_known() -> None:
    assert proxy_health([], DIGITS) == []
    few = proxy_health(study([0.1, 0.2]), DIGITS)
    assert {row.state for row in few} == {State.UNKNOWN}
    unmeasured = proxy_health(study([0.1] * 9), None)
    assert {row.state for row in unmeasured} == {State.UNKNOWN}
    tied = proxy_health([*study([0.5] * 9), *study([0.5] * 9, rung=1)], DIGITS)
    assert found(tied, Measure.RUNGS_AGREE).state is State.UNKNOWN


def test_before_any_training_it_says_what_would_tell_nothing() -> None:
    assert not warnings(expected_health(DIGITS))
    assert expected_health(DIGITS)[0].value == pytest.approx(0.135, abs=0.002)
    coarse = warnings(expected_health(Yardstick(images=20, chance=0.1)))
    assert [row.measure for row in coarse] == [Measure.TOLD_APART]


@pytest.mark.parametrize(("images", "chance"), [(0, 0.1), (10, 0.0), (10, 1.1)])
def test_a_yardstick_checks_itself(images: int, chance: float) -> None:
    with pytest.raises(ValueError, match="yardstick"):
        Yardstick(images=images, chance=chance)


@given(
    st.lists(
        st.builds(
            Trained,
            architecture_id=st.sampled_from("abcdefghijkl"),
            seed=st.integers(0, 2),
            rung=st.integers(0, 2),
            accuracy=st.integers(0, 50).map(lambda right: right / 50),
        )
    ),
    st.one_of(st.none(), st.builds(Yardstick, images=st.integers(1, 100_000), chance=st.floats(0.001, 1))),
)
def test_any_study_gives_rows_that_json_can_hold(trained: list[Trained], yardstick: Yardstick | None) -> None:
    rows = proxy_health(trained, yardstick)
    json.dumps([row.to_dict() for row in rows], allow_nan=False)
    for row in rows:
        assert row.says
        assert bool(row.advice) == (row.state is State.POOR)
        assert (row.value is None) <= (row.state is State.UNKNOWN)


def test_thousands_of_candidates_take_no_time_that_grows_with_their_pairs() -> None:
    draw = random.Random(0)
    many = [*study([draw.random() for _ in range(20_000)]), *study([draw.random() for _ in range(20_000)], rung=1)]
    assert not [row for row in warnings(proxy_health(many, DIGITS)) if row.measure is not Measure.RUNGS_AGREE]
