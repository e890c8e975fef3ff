from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import nas
from nas.api.full_training import train_to_folder
from nas.architecture import Architecture, Stage
from nas.errors import UserError
from nas.export.trained import Start, Trained
from nas.train import Recipe, loop
from nas.train.distributed import Place
from nas.train.failures import Diverged, TooLittleMemory
from nas.train.full import CHECKPOINT, CURVE, Moment
from nas.train.trackers import find_trackers

SMALL = Architecture(stages=(Stage(depth=1, width=8), Stage(depth=1, width=16)))
RECIPE = Recipe.from_dict({"epochs": 2, "resolution": 16, "batch": 64, "learning_rate": 4e-3, "ema_decay": 0.9})


def run(folder: Path, recipe: Recipe = RECIPE, *, watch: Any = lambda moment: None, **changes: Any) -> Trained:
    given: dict[str, Any] = {"seed": 0, "place": Place("cpu"), **changes}
    found = train_to_folder(SMALL, "digits", recipe, folder, watch=watch, **given)
    assert found is not None
    return found


def test_a_training_ends_with_a_folder_that_loads(tmp_path: Path) -> None:
    moments: list[Moment] = []
    found = run(tmp_path, watch=moments.append)
    assert {path.name for path in tmp_path.iterdir()} == set(found.files)
    assert nas.load_model(tmp_path)(torch.zeros(1, 1, 16, 16)).shape == (1, 10)
    assert len(found.curve) == 2
    assert found.test["low"] <= found.test["accuracy"] <= found.test["high"]
    assert moments[-1].fraction == 1.0
    assert {moment.epoch for moment in moments} == {1, 2}
    assert all(moment.images_per_second > 0 for moment in moments)


class Interrupted(Exception):
    pass


def test_an_interrupted_training_goes_on(tmp_path: Path) -> None:
    def interrupt(moment: Moment) -> None:
        if moment.fraction > 0.6:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(tmp_path / "one", watch=interrupt, save_every=0.0)
    moments: list[Moment] = []
    resumed = run(tmp_path / "one", watch=moments.append, save_every=0.0)
    assert moments[0].fraction > 0.5
    whole = run(tmp_path / "two")
    assert (resumed.curve, resumed.test, resumed.validation) == (whole.curve, whole.test, whole.validation)
    mine, theirs = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert not (tmp_path / "one" / CHECKPOINT).exists()


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / CURVE).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_every_epoch_has_a_row_however_often_the_training_was_interrupted(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recipe = RECIPE.changed(epochs=3)
    trackers = find_trackers(tensorboard=tmp_path / "tensorboard")

    def interrupted_after(share: float) -> Any:
        def interrupt(moment: Moment) -> None:
            if moment.fraction > share:
                raise Interrupted

        return interrupt

    for share in (0.4, 0.7):
        with pytest.raises(Interrupted):
            run(tmp_path / "one", recipe, watch=interrupted_after(share), trackers=trackers, save_every=0.0)
    assert [row["epoch"] for row in rows_of(tmp_path / "one")] == ["1", "2"]
    resumed = run(tmp_path / "one", recipe, trackers=trackers, save_every=0.0)
    rows = rows_of(tmp_path / "one")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert tuple(float(row["train_loss"]) for row in rows) == resumed.curve
    assert float(rows[-1]["validation_accuracy"]) == resumed.validation["accuracy"]
    whole = run(tmp_path / "two", recipe)
    assert whole.curve == resumed.curve  # judging in between changes nothing
    for mine, theirs in zip(rows, rows_of(tmp_path / "two"), strict=True):
        assert {**mine, "seconds": ""} == {**theirs, "seconds": ""}
    (place,) = (tmp_path / "tensorboard" / "trainings").iterdir()
    assert place.name.startswith("one-")
    events = EventAccumulator(str(place)).Reload()
    seen = events.Scalars("accuracy/validation")
    assert [event.step for event in seen] == [1, 2, 3]
    assert [event.value for event in seen] == pytest.approx([float(row["validation_accuracy"]) for row in rows])


@pytest.mark.slow
def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    first = run(tmp_path)
    moments: list[Moment] = []
    assert asdict(run(tmp_path, watch=moments.append)) == asdict(first)
    assert not moments
    with pytest.raises(UserError, match=r"holds other weights; .*--force"):
        run(tmp_path, seed=1)
    run(tmp_path, seed=1, watch=moments.append, force=True)
    assert moments


def test_a_folder_of_something_else_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"holds something else; .*--force"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.slow
def test_another_trainings_checkpoint_is_not_overwritten(tmp_path: Path) -> None:
    def interrupt(moment: Moment) -> None:
        if moment.fraction > 0.2:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(tmp_path, watch=interrupt, save_every=0.0)
    with pytest.raises(UserError, match="belongs to another training"):
        run(tmp_path, seed=1)
    run(tmp_path, seed=1, force=True)
    assert not (tmp_path / CHECKPOINT).exists()


def test_divergence_names_the_step(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="at step"):
        run(tmp_path, RECIPE.changed(learning_rate=1e30, gradient_clip=None))


@pytest.mark.slow
def test_fine_tuning_starts_from_the_weights(tmp_path: Path) -> None:
    run(tmp_path / "source", RECIPE.changed(epochs=4))
    start = Start.read(tmp_path / "source")
    gentle = RECIPE.changed(epochs=1, learning_rate=1e-6, classifier_init_scale=0.001, ema_decay=None)
    tuned = run(tmp_path / "tuned", gentle, start=start)
    scratch = run(tmp_path / "scratch", gentle)
    assert tuned.validation["accuracy"] > scratch.validation["accuracy"] + 0.2
    assert tuned.curve[0] < scratch.curve[0]


def test_a_classifier_for_other_classes_starts_anew(tmp_path: Path) -> None:
    run(tmp_path)
    start = Start.read(tmp_path)
    network = nas.build(SMALL, classes=7, in_channels=1)
    fresh = network.state_dict()["head.linear.weight"].clone()
    start.fill(network)
    assert torch.equal(network.state_dict()["head.linear.weight"], fresh)
    kept = load_file(tmp_path / "weights.safetensors")
    trunk = [name for name in kept if not name.startswith("head.linear")]
    assert all(torch.equal(network.state_dict()[name], kept[name]) for name in trunk)


@pytest.mark.slow
def test_images_of_other_channels_are_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(UserError, match="does not fit"):
        Start.read(tmp_path).fill(nas.build(SMALL, classes=10, in_channels=3))


@pytest.mark.slow
def test_what_does_not_fit_is_trained_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = loop.forward

    def narrow(model: Any, images: torch.Tensor, recipe: Recipe) -> torch.Tensor:
        if len(images) > 20:
            raise torch.OutOfMemoryError("out of memory")
        return forward(model, images, recipe)

    monkeypatch.setattr(loop, "forward", narrow)
    in_parts = run(tmp_path / "parts", RECIPE.changed(epochs=1))
    asked_for = run(tmp_path / "asked", RECIPE.changed(epochs=1), micro_batch=16)
    assert in_parts.curve == asked_for.curve
    monkeypatch.setattr(loop, "forward", lambda *given: forward(*given).new_empty(10**15))
    with pytest.raises(TooLittleMemory, match="smaller resolution"):
        run(tmp_path / "never", RECIPE.changed(epochs=1))


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """The same gradients in another order of sums, without augmentation, drop path and batch norm."""
    (tmp_path / "net.yaml").write_text(nas_yaml())
    recipe = {"epochs": 1, "resolution": 16, "batch": 64, "crop_padding": 0.0, "flip": False, "learning_rate": 4e-3}
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    common = ["-m", "nas", "train", "net.yaml", "--recipe", "recipe.yaml", "--device", "cpu", "--json"]
    alone = subprocess.run(
        [sys.executable, *common, "-o", "alone"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    both = subprocess.run(
        [*launch, *common, "-o", "both"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=200
    )
    assert json.loads(both.stdout)["curve"] == pytest.approx(json.loads(alone.stdout)["curve"], rel=0.02)
    mine, theirs = (load_file(tmp_path / name / "weights.safetensors") for name in ("alone", "both"))
    for name in mine:
        torch.testing.assert_close(mine[name], theirs[name], rtol=1e-2, atol=1e-3)


def nas_yaml() -> str:
    from nas.architecture.text import to_yaml

    return to_yaml(replace(SMALL), heading="small")
