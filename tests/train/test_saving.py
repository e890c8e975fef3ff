from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from nas.data import DataSet
from nas.records import EvaluationKey
from nas.train import Recipe
from nas.train.checkpoint import write_checkpoint
from nas.train.loop import Training
from nas.train.saving import Saver

KEY = EvaluationKey(architecture_id="tiny", recipe="r", fingerprint="digits", seed=5)
RECIPE = Recipe.from_dict({"epochs": 3, "resolution": 8, "batch": 64, "data_share": 0.1, "rungs": [1]})
MakeSaver = Callable[..., Saver]


@pytest.fixture
def saver(tiny_net: Callable[[], nn.Module], digits: DataSet, tmp_path: Path) -> MakeSaver:
    """A fresh training and who keeps it."""

    def make(place: Path | None = tmp_path / "one.ckpt", *, key: EvaluationKey = KEY, every: float = 60.0) -> Saver:
        training = Training(tiny_net(), digits, RECIPE, seed=key.seed)
        return Saver(training=training, key=key, place=None if place is None else str(place), every=every)

    return make


def test_what_was_put_aside_is_taken_up_with_what_was_said_beside_it(saver: MakeSaver) -> None:
    first, second = saver(), saver()
    first.training.run(0)
    first.save(seconds=1.5, rows=[{"epoch": 1}])
    found = second.restore()
    assert found is not None
    assert (found["seconds"], found["rows"]) == (1.5, [{"epoch": 1}])
    assert second.training.step == first.training.step > 0
    mine, theirs = first.training.model.state_dict(), second.training.model.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_state_beyond_the_rung_is_neither_taken_up_nor_written_over(saver: MakeSaver, tmp_path: Path) -> None:
    first, second = saver(), saver(every=0.0)
    first.training.run()
    first.save()
    before = (tmp_path / "one.ckpt").read_bytes()
    assert second.restore(0) is None
    assert second.training.step == 0
    assert not second.is_due
    second.save()
    assert (tmp_path / "one.ckpt").read_bytes() == before
    assert saver().restore(1) is not None


def test_another_trainings_state_is_not_taken_up(saver: MakeSaver, tmp_path: Path) -> None:
    other = EvaluationKey(architecture_id="another", recipe="r", fingerprint="digits", seed=5)
    write_checkpoint(str(tmp_path / "one.ckpt"), other, saver().training.state_dict())
    assert saver().restore() is None


def test_without_a_place_nothing_is_kept(saver: MakeSaver, tmp_path: Path) -> None:
    one = saver(None, every=0.0)
    assert one.restore() is None
    assert not one.is_due
    one.save()
    assert not list(tmp_path.iterdir())


def test_a_save_that_failed_is_tried_again_when_the_next_is_due(saver: MakeSaver) -> None:
    one = saver(Path("/proc/nowhere/one.ckpt"), every=0.0)
    assert one.is_due
    one.every = 1000.0
    with pytest.raises(OSError, match="nowhere"):
        one.save()
    assert one.is_on
    assert not one.is_due
