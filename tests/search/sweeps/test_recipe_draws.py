from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from nas.architecture import Architecture, Stage
from nas.search.sweeps.recipe_draws import draw_recipe
from nas.train.recipe import Recipe, load_recipe

NETWORK = Architecture(stages=(Stage(depth=1, width=8), Stage(depth=1, width=16)))
NUMBERS = st.integers(1, 10_000)
SEEDS = st.integers(0, 2**31)
AUGMENTED = load_recipe("convnext_300e")


def test_number_0_is_the_recipe_itself() -> None:
    assert draw_recipe(AUGMENTED, NETWORK, 0, seed=5) is AUGMENTED


@given(NUMBERS, SEEDS)
def test_values_stay_in_their_ranges_and_everything_else_as_it_is(number: int, seed: int) -> None:
    drawn = draw_recipe(AUGMENTED, NETWORK, number, seed=seed)
    own = AUGMENTED
    near = 1.01  # three significant digits
    assert 1 / 4 / near <= drawn.learning_rate / own.learning_rate <= 4 * near
    assert 1 / 8 / near <= drawn.weight_decay / own.weight_decay <= 8 * near
    assert drawn.drop_path is not None
    assert 0 <= drawn.drop_path <= 0.2
    assert 0 <= drawn.label_smoothing <= 0.2
    assert drawn.rand_augment is not None
    assert own.rand_augment is not None
    assert drawn.rand_augment.magnitude <= 10
    assert (drawn.rand_augment.count, drawn.rand_augment.std) == (own.rand_augment.count, own.rand_augment.std)
    strength = drawn.mixup / own.mixup
    assert 1 / 2 / near <= strength <= 2 * near
    for one in (drawn.cutmix / own.cutmix, drawn.random_erasing / own.random_erasing):
        assert math.isclose(one, strength, rel_tol=0.02)
    changed = {"learning_rate", "weight_decay", "drop_path", "label_smoothing", "rand_augment", "mixup", "cutmix"}
    kept = own.model_dump(exclude={*changed, "random_erasing"})
    assert drawn.model_dump(exclude={*changed, "random_erasing"}) == kept


@given(NUMBERS, SEEDS)
def test_what_a_recipe_has_not_stays_away(number: int, seed: int) -> None:
    bare = Recipe(weight_decay=0.0, crop_padding=0.0)
    drawn = draw_recipe(bare, NETWORK, number, seed=seed)
    assert (drawn.weight_decay, drawn.crop_padding, drawn.mixup, drawn.cutmix, drawn.random_erasing) == (0,) * 5
    assert drawn.rand_augment is None


@given(NUMBERS, SEEDS)
def test_limits_of_fields_hold(number: int, seed: int) -> None:
    strong = AUGMENTED.changed(crop_padding=0.4, random_erasing=0.9, label_smoothing=0.5, drop_path=0.8)
    drawn = draw_recipe(strong, NETWORK, number, seed=seed)
    assert drawn.crop_padding <= 0.5
    assert drawn.random_erasing <= 1
    assert drawn.label_smoothing <= 0.9
    assert (drawn.drop_path or 0.0) <= 0.9


@given(NUMBERS, SEEDS)
def test_draws_follow_from_seed_and_number_alone(number: int, seed: int) -> None:
    drawn = draw_recipe(AUGMENTED, NETWORK, number, seed=seed)
    assert drawn == draw_recipe(AUGMENTED, NETWORK, number, seed=seed)
    deep = replace(NETWORK, drop_path=0.4)  # the recipe leaves it to the architecture
    other = draw_recipe(AUGMENTED, deep, number, seed=seed)
    assert drawn.drop_path is not None
    assert math.isclose(other.drop_path or 0.0, 4 * drawn.drop_path, rel_tol=0.02)
    assert other.changed(drop_path=drawn.drop_path) == drawn
    assert draw_recipe(Recipe(), NETWORK, number, seed=seed).learning_rate / 1e-3 == (
        pytest.approx(drawn.learning_rate / AUGMENTED.learning_rate, rel=0.02)
    )


def test_numbers_and_seeds_draw_different_recipes() -> None:
    drawn = {draw_recipe(AUGMENTED, NETWORK, number, seed=seed).id for number in range(1, 51) for seed in (0, 1)}
    assert len(drawn) == 100


def test_factors_are_spread_evenly_over_their_logarithms() -> None:
    rates = [draw_recipe(Recipe(), NETWORK, number, seed=0).learning_rate / 1e-3 for number in range(1, 401)]
    quarters = [sum(low <= math.log(rate, 4) < low + 0.5 for rate in rates) for low in (-1, -0.5, 0, 0.5)]
    assert all(70 <= count <= 130 for count in quarters)  # 100 expected, deviation 8.7
