from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from nas.train.augment import random_erasing

UNTOUCHED = 1000.0  # no draw of noise is near it


def erased(count: int = 400, side: int = 24, *, probability: float = 1, seed: int = 0, channels: int = 3) -> Tensor:
    images = torch.full((count, channels, side, side), UNTOUCHED)
    return random_erasing(images, probability=probability, generator=Generator().manual_seed(seed))


def test_one_box_of_every_image_is_erased_in_all_channels() -> None:
    holes = erased() != UNTOUCHED
    assert torch.equal(holes.any(1), holes.all(1))
    for hole in holes[:, 0]:
        height, width = int(hole.any(1).sum()), int(hole.any(0).sum())
        assert hole.sum() == height * width  # a rectangle without gaps
        rows = hole.any(1).nonzero().flatten()
        assert rows[-1] - rows[0] + 1 == height
        assert 0.3 / 1.5 < width / height < 1.5 / 0.3  # whole pixels
        assert 0.01 < height * width / 24**2 < 0.36


def test_area_is_uniform_between_its_limits() -> None:
    areas = (erased(2000, 40, channels=1) != UNTOUCHED)[:, 0].double().mean((1, 2))
    # Boxes that do not fit are drawn anew, which makes the largest a little rarer.
    assert areas.mean().item() == pytest.approx((0.02 + 1 / 3) / 2, rel=0.05)
    assert areas.min() < 0.03
    assert areas.max() > 0.31


def test_noise_is_normal_and_every_pixel_and_channel_has_its_own() -> None:
    out = erased(200)
    holes = out != UNTOUCHED
    assert stats.kstest(out[holes].numpy(), "norm").pvalue > 0.01
    pixels = out.permute(1, 0, 2, 3)[:, holes[:, 0]]  # (channels, pixels)
    assert (torch.corrcoef(pixels) - torch.eye(3)).abs().max() < 0.02
    assert len(out[holes].unique()) > 0.99 * int(holes.sum())


def test_probability_is_the_share_of_erased_images() -> None:
    hit = (erased(4000, 8, probability=0.25, channels=1) != UNTOUCHED).any(dim=(1, 2, 3)).sum()
    assert stats.binomtest(int(hit), 4000, 0.25).pvalue > 0.01


def test_probability_zero_changes_nothing() -> None:
    assert (erased(probability=0) == UNTOUCHED).all()


def test_an_image_into_which_no_box_fits_stays() -> None:
    images = torch.zeros(10, 1, 4, 4)
    out = random_erasing(images, probability=1, area=(1, 1), aspect=(4, 4), generator=Generator().manual_seed(0))
    assert torch.equal(out, images)


def test_boxes_lie_everywhere() -> None:
    share = (erased(3000, 16, channels=1) != UNTOUCHED)[:, 0].double().mean(0)
    assert share.min() > 0
    torch.testing.assert_close(share, share.flip(0, 1), atol=0.03, rtol=0)
    assert math.isclose(share[:8].mean(), share[8:].mean(), abs_tol=0.02)


def test_precision_stays() -> None:
    images = torch.zeros(20, 3, 8, 8, dtype=torch.bfloat16)
    assert random_erasing(images, probability=1, generator=Generator().manual_seed(0)).dtype == torch.bfloat16
