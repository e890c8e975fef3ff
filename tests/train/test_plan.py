from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from nas.data import DataSet
from nas.train import Recipe
from nas.train.plan import Plan, cosine, plan_training

RUNGS = {"epochs": 6, "resolution": 8, "batch": 32, "rungs": [1, {"epochs": 3, "resolution": 4, "data_share": 0.25}]}


def plan(digits: DataSet, **fields: Any) -> Plan:
    return plan_training(Recipe.from_dict({**RUNGS, **fields}), digits)


def test_epochs_follow_the_rungs(digits: DataSet) -> None:
    found = plan(digits)
    assert [(one.rung, one.resolution, one.data_share) for one in found.epochs] == [
        (0, 8, 1.0), (1, 4, 0.25), (1, 4, 0.25), (2, 8, 1.0), (2, 8, 1.0), (2, 8, 1.0),
    ]  # fmt: skip
    assert [one.steps for one in found.epochs] == [33, 8, 8, 33, 33, 33]  # of 1079 images, or 268 to 270
    assert [found.end_of(rung) for rung in range(3)] == [33, 49, 148]
    assert found.steps == 148
    assert found.images_until(found.end_of(1)) == 49 * 32


@given(st.integers(0, 147))
def test_every_step_belongs_to_one_epoch(digits: DataSet, step: int) -> None:
    epoch = plan(digits).epoch_of(step)
    assert epoch.first_step <= step < epoch.first_step + epoch.steps


def test_the_schedule_spans_the_training(digits: DataSet) -> None:
    found = plan(digits)
    rates = [found.learning_rate(step) for step in range(found.steps)]
    assert rates == [1e-3 * cosine((step + 0.5) / 148, warmup=0.1) for step in range(148)]


def test_a_restarted_schedule_ends_with_every_rung(digits: DataSet) -> None:
    found = plan(digits, anneal="rung", warmup=0.0)
    alone = plan_training(Recipe.from_dict({"epochs": 1, "resolution": 8, "batch": 32, "warmup": 0.0}), digits)
    assert [found.learning_rate(step) for step in range(33)] == [alone.learning_rate(step) for step in range(33)]
    assert found.learning_rate(33) > 100 * found.learning_rate(32)


def test_images_grow_to_the_resolution(digits: DataSet) -> None:
    sides = [one.resolution for one in plan(digits, rungs=[], resolution=32, resolution_start=12).epochs]
    assert sides == [12, 16, 20, 24, 28, 32]


def test_growing_images_stay_within_a_rung(digits: DataSet) -> None:
    rungs = [{"epochs": 5, "resolution": 16}]
    sides = [one.resolution for one in plan(digits, rungs=rungs, resolution=32, resolution_start=12).epochs]
    assert sides == [12, 16, 16, 16, 16, 32]


def test_a_floor_and_a_scaled_rate(digits: DataSet) -> None:
    found = plan(digits, learning_rate=1.0, learning_rate_batch=64, learning_rate_floor=0.5, warmup=0.0)
    assert found.learning_rate(0) == pytest.approx(0.5, rel=1e-3)
    assert found.learning_rate(147) == pytest.approx(0.25, rel=1e-3)


def test_a_scaled_rate_follows_the_images_that_a_step_has(digits: DataSet) -> None:
    """1,079 images, a quarter of them on the first rung, under a recipe for batches of 4,096."""
    found = plan(digits, batch=4096, learning_rate=4e-3, learning_rate_batch=4096, warmup=0.0, learning_rate_floor=1.0)
    assert [one.batch for one in found.epochs] == [1079, 270, 270, 1079, 1079, 1079]
    rates = [found.learning_rate(one.first_step) for one in found.epochs]
    assert rates == pytest.approx([4e-3 * one.batch / 4096 for one in found.epochs])


def test_an_unscaled_rate_is_that_of_the_recipe_on_small_data_too(digits: DataSet) -> None:
    found = plan(digits, batch=4096, warmup=0.0, learning_rate_floor=1.0)
    assert found.learning_rate(0) == pytest.approx(1e-3)


def test_cosine_rises_peaks_and_falls() -> None:
    assert cosine(0, warmup=0.2) == 0
    assert cosine(0.1, warmup=0.2) == pytest.approx(0.5)
    assert cosine(0.2, warmup=0.2) == 1
    assert cosine(0.6, warmup=0.2) == pytest.approx(0.5)
    assert cosine(1, warmup=0.2) == pytest.approx(0)


def test_cosine_without_warmup_starts_at_the_top() -> None:
    assert cosine(0) == 1


@given(st.floats(0, 1), st.floats(0, 0.99), st.floats(0, 1))
def test_cosine_stays_within_its_bounds(progress: float, warmup: float, floor: float) -> None:
    factor = cosine(progress, warmup=warmup, floor=floor)
    assert 0 <= factor <= 1 + 1e-12
    if progress >= warmup:
        assert factor >= floor - 1e-12


@given(st.lists(st.floats(0.3, 1), min_size=2), st.floats(0, 0.3))
def test_cosine_never_rises_after_the_warmup(points: list[float], warmup: float) -> None:
    factors = [cosine(point, warmup=warmup) for point in sorted(points)]
    assert factors == sorted(factors, reverse=True)
