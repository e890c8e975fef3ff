from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nas.data import describe, load_data
from nas.errors import DataError, UnknownNameError


def test_digits_are_split_by_class(cache: Path) -> None:
    data = load_data("digits", resolution=8, cache=cache)
    assert (len(data.train), len(data.validation), len(data.test)) == (1079, 359, 359)
    for split in (data.train, data.validation, data.test):
        shares = np.bincount(split.labels) / len(split)
        assert shares.min() > 0.09
        assert shares.max() < 0.11


def test_digits_are_scikit_learns_each_in_one_split(cache: Path) -> None:
    data = load_data("digits", resolution=8, cache=cache)
    ours = np.concatenate([split.images[:, 0] for split in (data.train, data.validation, data.test)])
    theirs = np.round(load_digits().images * 255 / 16).astype(np.uint8)
    assert sorted(image.tobytes() for image in ours) == sorted(image.tobytes() for image in theirs)


def test_digits_are_enlarged_smoothly(cache: Path) -> None:
    data = load_data("digits", resolution=32, cache=cache)
    assert data.train.images.shape == (1079, 1, 32, 32)
    assert data.train.images.dtype == np.uint8
    small = load_data("digits", resolution=8, cache=cache).train.images
    means = data.train.images.reshape(1079, 8, 4, 8, 4).mean(axis=(2, 4))
    assert np.corrcoef(means.ravel(), small.ravel())[0, 1] > 0.97


def test_fingerprint_is_the_same_everywhere_and_at_every_resolution(cache: Path) -> None:
    assert describe("digits", cache=cache).fingerprint == "9106506497e62977"
    assert load_data("digits", resolution=8, cache=cache).fingerprint == "9106506497e62977"
    assert load_data("digits", resolution=16, cache=cache).fingerprint == "9106506497e62977"


def test_description_agrees_with_the_data(cache: Path) -> None:
    known, data = describe("digits", cache=cache), load_data("digits", resolution=8, cache=cache)
    assert (known.train, known.validation, known.test) == (len(data.train), len(data.validation), len(data.test))
    assert known.classes == data.classes == tuple("0123456789")
    assert known.task(8) == data.task
    assert known.flippable is data.flippable is False


def test_digits_take_no_argument() -> None:
    with pytest.raises(DataError, match="write 'digits'"):
        describe("digits:8")


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
        describe("digit")


def test_a_bare_path_is_met_with_the_prefix(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"write 'folder:{tmp_path}'"):
        describe(str(tmp_path))
