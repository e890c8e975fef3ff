from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nas.train.default_recipe import FEWEST_STEPS, MOST_IMAGES, SMALL, ChosenBy
from nas.train.recipe import Recipe

DIGITS = {"images": 1078, "classes": 10}


def test_large_networks_on_enough_images_keep_the_recipe_of_before() -> None:
    assert ChosenBy(params=28_000_000, **DIGITS).recipe() == Recipe()


def test_small_networks_start_from_weights_that_suit_narrow_ones() -> None:
    recipe = ChosenBy(params=400_000, **DIGITS).recipe()
    assert recipe.to_dict() == {"init": "fan_in", "layer_scale_init": 1.0, "crop_padding": 0.0}


@pytest.mark.parametrize(
    ("images", "classes", "share"),
    [(MOST_IMAGES, 10, 1.0), (45_000, 10, 0.23), (45_000, 100, 0.23), (10**6, 1000, 0.1)],
)
def test_of_many_images_small_networks_see_a_share(images: int, classes: int, share: float) -> None:
    assert ChosenBy(params=400_000, images=images, classes=classes).recipe().data_share == share


chosen = st.builds(ChosenBy, params=st.integers(1, 10**9), images=st.integers(1, 10**7), classes=st.integers(1, 30_000))


@pytest.mark.slow
@given(chosen)
def test_every_choice_makes_enough_steps_and_survives_the_ledger(by: ChosenBy) -> None:
    recipe = by.recipe()
    steps = max(1, int(by.images * recipe.data_share) // recipe.batch) * recipe.epochs
    assert steps >= FEWEST_STEPS
    assert ChosenBy.from_dict(by.to_dict()) == by
    assert ("small" in str(by)) == (by.params < SMALL)
