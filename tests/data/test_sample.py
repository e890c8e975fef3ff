from __future__ import annotations

import numpy as np
import pytest

from nas.data import load_data
from nas.data.sample import sample_images
from nas.errors import UserError


def test_images_are_of_the_validation_split_and_follow_the_seed() -> None:
    drawn = sample_images("digits", 5, resolution=8, seed=1)
    assert drawn.shape == (5, 1, 8, 8)
    validation = np.asarray(load_data("digits", resolution=8).validation.images)
    assert all((one == validation).all((1, 2, 3)).any() for one in drawn)
    assert (drawn == sample_images("digits", 5, resolution=8, seed=1)).all()
    assert not (drawn == sample_images("digits", 5, resolution=8, seed=2)).all()


def test_more_than_there_are_is_all_there_are() -> None:
    count = len(load_data("digits", resolution=8).validation)
    assert len(sample_images("digits", 10**6, resolution=8, seed=0)) == count


def test_unknown_data_is_refused() -> None:
    with pytest.raises(UserError, match="digits"):
        sample_images("digit", 1, resolution=8, seed=0)
