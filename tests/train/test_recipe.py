from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st

from nas.errors import FieldError, UnknownNameError
from nas.train import Recipe, recipes

CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(1, 300),
        "batch": st.integers(1, 4096),
        "learning_rate": st.floats(1e-6, 1),
        "betas": st.tuples(st.floats(0, 0.99), st.floats(0, 0.999)).map(list),
        "drop_path": st.none() | st.floats(0, 0.9),
        "layer_scale_init": st.none() | st.floats(0, 1),
        "ema_decay": st.none() | st.floats(0, 0.9999),
        "flip": st.booleans(),
        "precision": st.sampled_from(["fp32", "bf16"]),
    },
)


@given(CHANGES)
def test_dict_reads_back_to_the_same_recipe(changes: dict[str, Any]) -> None:
    recipe = Recipe.from_dict(changes)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert Recipe.from_dict(recipe.to_dict()).id == recipe.id


def test_dict_leaves_defaults_out() -> None:
    assert Recipe().to_dict() == {}
    assert Recipe(epochs=7, betas=(0.9, 0.999)).to_dict() == {"epochs": 7}


def test_id_does_not_change_by_accident() -> None:
    """Meant to change? Then evaluations of before are no longer found: say so in the changelog."""
    assert Recipe().id == "211f445fefaa"
    assert Recipe(epochs=3).id == "0591f3c1776a"


def test_id_changes_with_every_field() -> None:
    other: dict[str, Any] = {
        name: (not value if isinstance(value, bool) else value / 2 if isinstance(value, float) else 0.5)
        for name, value in Recipe().model_dump().items()
    }
    other |= {"epochs": 2, "resolution": 2, "batch": 2, "validation_batch": 2, "betas": [0.5, 0.5], "drop_path": 0.5}
    other |= {"precision": "bf16"}
    ids = {Recipe.from_dict({name: value}).id for name, value in other.items()}
    assert len(ids | {Recipe().id}) == len(Recipe.model_fields) + 1


def test_id_ignores_how_a_number_is_written() -> None:
    assert Recipe.from_dict({"weight_decay": 1}).id == Recipe.from_dict({"weight_decay": 1.0}).id


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"epoch": 3}, "epoch"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"epochs": "3"}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"warmup": 1.0}, "warmup"),
        ({"data_share": 0}, "data_share"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"precision": "auto"}, "precision"),
        ({"betas": [0.9]}, "betas"),
    ],
)
def test_a_wrong_field_is_named(data: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        Recipe.from_dict(data)
    assert caught.value.field.startswith(field)


def test_every_field_is_described() -> None:
    assert all(field.description for field in Recipe.model_fields.values())


def test_proxy_is_the_default() -> None:
    assert recipes["proxy"] == Recipe()
    assert recipes["small"] != Recipe()
    with pytest.raises(UnknownNameError, match="did you mean 'proxy'"):
        recipes["proxi"]


def test_reading_a_recipe_needs_no_torch() -> None:
    code = "import sys; from nas.train import Recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
