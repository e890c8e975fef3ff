from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from nas.data import DataSet
from nas.errors import UserError
from nas.train import Recipe
from nas.train.augment import Mixed
from nas.train.batches import WHOLE, Shard, TrainingBatches, _ahead, plain_batches
from nas.train.plan import plan_training
from nas.train.subset import used_images

CPU = torch.device("cpu")
FIELDS = {"epochs": 3, "resolution": 8, "batch": 64, "data_share": 0.5, "rungs": [{"epochs": 1, "resolution": 4}]}


def batches(data: DataSet, first: int = 0, end: int | None = None, shard: Shard = WHOLE, **fields: Any) -> list[Mixed]:
    plan = plan_training(Recipe.from_dict({**FIELDS, **fields}), data)
    found = TrainingBatches(data, plan, seed=1, device=CPU, shard=shard)
    return list(found.between(first, plan.steps if end is None else end))


@given(first=st.integers(0, 24), count=st.integers(0, 10))
def test_any_stretch_is_a_stretch_of_the_whole(digits: DataSet, first: int, count: int) -> None:
    whole = batches(digits)
    end = min(first + count, len(whole))
    for mine, theirs in zip(batches(digits, first, end), islice(whole, first, end), strict=True):
        assert torch.equal(mine.images, theirs.images)
        assert torch.equal(mine.labels, theirs.labels)


def test_images_have_the_side_of_their_rung(digits: DataSet) -> None:
    sides = [view.images.shape[-1] for view in batches(digits)]
    assert sides == [4] * 8 + [8] * 16


def test_only_a_central_crop_is_seen(digits: DataSet) -> None:
    plain = {"crop_padding": 0.0, "rungs": [], "epochs": 1, "resolution": 6, "crop_share": 0.75}
    assert Recipe.from_dict(plain).stored_resolution == 8
    (found, *_) = batches(digits, **plain)
    assert found.images.shape[-2:] == (6, 6)
    (judged, *_) = plain_batches(digits, digits.validation, batch=5, side=6, crop_share=0.75, device=CPU)
    (whole, *_) = plain_batches(digits, digits.validation, batch=5, side=8, crop_share=1.0, device=CPU)
    assert torch.equal(judged.images, whole.images[..., 1:7, 1:7])


@pytest.mark.parametrize("world", [1, 2, 4, 64])
def test_shards_share_a_batch_evenly(world: int) -> None:
    indices = np.arange(64)
    parts = [Shard(rank, world).of(indices) for rank in range(world)]
    assert {len(part) for part in parts} == {64 // world}
    assert sorted(np.concatenate(parts)) == list(indices)


def test_processes_see_every_image_that_one_alone_does(digits: DataSet) -> None:
    (alone, *_) = batches(digits)
    parts = [batches(digits, 0, 1, Shard(rank, 2))[0] for rank in range(2)]
    assert {len(part.labels) for part in parts} == {32}
    assert sorted(torch.cat([part.labels for part in parts]).tolist()) == sorted(alone.labels.tolist())


@pytest.mark.parametrize(("world", "batch"), [(3, 64), (128, 64)])
def test_batches_that_cannot_be_shared_evenly_are_refused(digits: DataSet, world: int, batch: int) -> None:
    with pytest.raises(UserError, match=f"batch of {batch} cannot be shared evenly by {world} processes"):
        batches(digits, shard=Shard(0, world), batch=batch)


def test_a_batch_that_the_images_limit_is_said_to_be(digits: DataSet) -> None:
    images = len(used_images(digits, 0.05))
    world = next(number for number in range(2, 100) if images % number)
    with pytest.raises(UserError, match=f"batch of {images}, which is as many images as the recipe uses,"):
        batches(digits, shard=Shard(0, world), batch=4096, data_share=0.05)


def test_reading_ahead_changes_nothing() -> None:
    assert list(_ahead(iter(range(10)))) == list(range(10))
    assert list(_ahead(iter(()))) == []


def test_reading_ahead_hands_errors_on() -> None:
    def broken() -> Any:
        yield 1
        raise ValueError("damaged")

    found = _ahead(broken())
    assert next(found) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(found)
