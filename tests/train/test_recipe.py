from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import nas.train.recipe
from nas.errors import FieldError, UnknownNameError, UserError
from nas.space import load_architecture
from nas.train import Recipe, load_recipe, recipe_names
from nas.train.recipe import RandAugment

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
    assert Recipe().id == "70acf9797f27"
    assert Recipe(epochs=3).id == "57da3fc455f0"


def test_id_changes_with_every_field() -> None:
    other: dict[str, Any] = {
        name: (not value if isinstance(value, bool) else value / 2 or 0.5 if isinstance(value, float) else 0.5)
        for name, value in Recipe().model_dump().items()
    }
    other |= {"epochs": 2, "resolution": 2, "batch": 2, "validation_batch": 2, "betas": [0.5, 0.5], "drop_path": 0.5}
    other |= {"precision": "bf16", "rungs": [1], "resolution_start": 2, "learning_rate_batch": 2, "optimizer": "sgd"}
    other |= {"anneal": "rung", "init": "fan_in", "resized_crop": {}, "rand_augment": {}, "momentum": 0.5}
    needs: dict[str, Any] = {
        "rungs": {"epochs": 7},
        "resolution_start": {"epochs": 7},
        "mix_probability": {"mixup": 1.0},
    }
    for name, value in other.items():
        before = Recipe.from_dict(needs.get(name, {}))
        assert before.changed(**{name: value}).id != before.id, name


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


@pytest.mark.parametrize("name", recipe_names())
def test_packaged_recipes_read(name: str) -> None:
    recipe = load_recipe(name)
    assert Recipe.from_dict({"base": name}) == recipe
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.fidelities[-1].epochs == recipe.epochs


def test_a_base_is_changed_by_what_stands_beside_it() -> None:
    recipe = Recipe.from_dict({"base": "convnext_300e", "epochs": 600})
    assert recipe == load_recipe("convnext_300e").changed(epochs=600)


def test_an_unknown_recipe_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'convnext_300e'"):
        load_recipe("convnext_300")


def test_a_recipe_file_names_its_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("base: convnext_300e\nepochs: 0\nlearning_rat: 1e-3\n")
    with pytest.raises(UserError) as caught:
        load_recipe(file)
    assert "mine.yaml:2" in str(caught.value)
    assert "did you mean 'learning_rate'" in str(caught.value)


def test_published_settings() -> None:
    """arXiv:2201.03545, table 5 (pre-training) and table 6 (fine-tuning)."""
    recipe = load_recipe("convnext_300e")
    assert (recipe.epochs, recipe.batch, recipe.peak_learning_rate(4096)) == (300, 4096, 4e-3)
    assert round(recipe.warmup * recipe.epochs, 6) == 20
    assert (recipe.mixup, recipe.cutmix, recipe.random_erasing, recipe.label_smoothing) == (0.8, 1.0, 0.25, 0.1)
    assert recipe.rand_augment == RandAugment(count=2, magnitude=9.0, std=0.5)
    tuned = load_recipe("convnext_finetune")
    assert (tuned.epochs, tuned.batch, tuned.peak_learning_rate(512), tuned.weight_decay) == (30, 512, 5e-5, 1e-8)
    assert (tuned.layer_decay, tuned.classifier_init_scale, tuned.mixup, tuned.cutmix) == (0.8, 0.001, 0, 0)
    assert (tuned.ema_decay, tuned.drop_path) == (None, 0.0)


PAPERS = ["conv2former_300e", "convnext_300e", "convnext_finetune", "replknet_120e", "unireplknet_300e", "van_300e"]


@pytest.mark.parametrize("name", PAPERS)
def test_recipes_of_papers_say_what_differs(name: str) -> None:
    text = (Path(nas.train.recipe.__file__).parent / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    header = " ".join(line[2:] for line in text.splitlines() if line.startswith("#"))
    assert "arXiv:" in header
    assert all(word in header for word in ("Differs", "EXIF", "bilinear", "bf16"))
    if name != "convnext_finetune":  # which takes weights and constants over from the release
        assert "channels are normalised by" in header
        assert "weights start normal" in header
    if name == "unireplknet_300e":
        assert "0.3 and 0.3 for A, F and P" in header  # Mixup and CutMix by size
        assert "the response norm's weights are not decayed" in header


def test_published_settings_of_other_families() -> None:
    """The authors' commands: imagenet.md of UniRepLKNet, train.sh and train.py of VAN; Conv2Former, section 4.1."""
    uni, van, conv2former = (load_recipe(f"{name}_300e") for name in ("unireplknet", "van", "conv2former"))
    assert (uni.epochs, uni.batch, uni.learning_rate, uni.mixup, uni.cutmix) == (300, 4096, 4e-3, 0.8, 1.0)
    assert (van.epochs, van.batch, van.learning_rate, van.weight_decay) == (310, 1024, 1e-3, 0.05)
    assert round(van.warmup * van.epochs, 6) == 5
    assert van.learning_rate * van.learning_rate_floor == pytest.approx(1e-6)
    assert conv2former.peak_learning_rate(1024) == 1e-3
    assert all(one.drop_path is None for one in (uni, van, conv2former))


def test_kernels_are_compared_under_one_drop_path() -> None:
    """RepLKNet's own comparison, under the recipe that is made for it."""
    recipe = load_recipe("replknet_120e")
    rates = {load_architecture(f"replknet_{kernel}").drop_path for kernel in ("3", "7", "13", "25", "31b")}
    assert rates == {0.5}
    assert not recipe.leaves_drop_path_open(0.5)
    assert recipe.leaves_drop_path_open(load_architecture("resnet50").drop_path)
    assert not recipe.changed(drop_path=0.0).leaves_drop_path_open(0.0)


@pytest.mark.parametrize("name", PAPERS)
def test_recipes_of_papers_leave_layer_scales_to_the_architecture(name: str) -> None:
    assert load_recipe(name).layer_scale_init is None


def test_the_learning_rate_is_scaled_by_the_batch() -> None:
    assert load_recipe("convnext_300e").peak_learning_rate(256) == pytest.approx(4e-3 / 16)
    assert Recipe(batch=256).peak_learning_rate(256) == Recipe().learning_rate


def test_rungs_take_over_what_they_do_not_say() -> None:
    recipe = Recipe.from_dict(
        {
            "epochs": 9,
            "resolution": 32,
            "data_share": 0.5,
            "rungs": [1, {"epochs": 3, "resolution": 16, "data_share": 1}],
        }
    )
    assert [(one.rung, one.epochs, one.resolution, one.data_share) for one in recipe.fidelities] == [
        (0, 1, 32, 0.5),
        (1, 3, 16, 1),
        (2, 9, 32, 0.5),
    ]
    assert len(recipe.without_rungs().fidelities) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": 3, "rungs": [3]}, "below epochs"),
        ({"epochs": 9, "rungs": [3, 1]}, "growing"),
        ({"epochs": 9, "rungs": [{"epochs": 1, "resolution": 64}]}, "above 32"),
        ({"epochs": 9, "rungs": [{"epoch": 1}]}, "epoch"),
        ({"resolution_start": 33}, "above 32"),
        ({"resolution_start": 16}, "more than one epoch"),
        ({"mix_probability": 0.5}, "needs mixup or cutmix"),
        ({"resized_crop": {"scale": [1.0, 0.5]}}, "first bound"),
    ],
)
def test_impossible_recipes_say_why(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        Recipe.from_dict(fields)


def test_reading_a_recipe_needs_no_torch() -> None:
    code = "import sys; from nas.train import Recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_recipe_files_are_bases_of_recipe_files_and_found_beside_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/first.yaml").write_text("base: convnext_300e\nepochs: 50\n")
    (tmp_path / "second.json").write_text('{"base": "deep/first.yaml", "batch": 64}')
    assert load_recipe(tmp_path / "second.json") == load_recipe("convnext_300e").changed(epochs=50, batch=64)
    assert load_recipe(str(tmp_path / "convnext_300e.yaml").rpartition("/")[2]) == load_recipe("convnext_300e")


def test_bases_that_lead_back_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: b.yaml\n")
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    with pytest.raises(UserError, match=r"its base leads back to a.yaml: a.yaml -> b.yaml -> a.yaml"):
        load_recipe(tmp_path / "a.yaml")


def test_a_base_with_mistakes_is_reported_at_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("epochs: 3\nbatch: none\n")
    (tmp_path / "mine.yaml").write_text("base: base.yaml\n")
    with pytest.raises(UserError, match=r"base.yaml:2:8: batch"):
        load_recipe(tmp_path / "mine.yaml")
