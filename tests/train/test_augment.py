from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from nas.train.augment import crop_and_flip

IMAGES = torch.randint(1, 256, (64, 3, 9, 7), dtype=torch.uint8, generator=Generator().manual_seed(1))


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def crops(image: Tensor, padding: int) -> list[Tensor]:
    """Every crop of one image, not mirrored."""
    padded = functional.pad(image, (padding,) * 4)
    height, width = image.shape[1:]
    shifts = range(2 * padding + 1)
    return [padded[:, top : top + height, left : left + width] for top in shifts for left in shifts]


def test_every_image_becomes_one_of_its_own_crops_or_a_mirrored_one() -> None:
    out = crop_and_flip(IMAGES, padding=2, flip=True, generator=seeded())
    assert out.shape == IMAGES.shape
    assert out.dtype == torch.uint8
    for before, after in zip(IMAGES, out, strict=True):
        candidates = crops(before, 2)
        assert any(torch.equal(after, one) or torch.equal(after, one.flip(2)) for one in candidates)


def test_images_draw_independently() -> None:
    same = IMAGES[:1].expand(256, -1, -1, -1)
    out = crop_and_flip(same, padding=1, flip=True, generator=seeded())
    assert len({image.numpy().tobytes() for image in out}) == 18  # 3 x 3 shifts, each mirrored or not


def test_about_half_are_mirrored() -> None:
    out = crop_and_flip(IMAGES.repeat(10, 1, 1, 1), padding=0, flip=True, generator=seeded())
    mirrored = (out == IMAGES.repeat(10, 1, 1, 1).flip(3)).all(dim=(1, 2, 3)).sum().item()
    assert 250 < mirrored < 390


def test_nothing_to_do_changes_nothing() -> None:
    assert torch.equal(crop_and_flip(IMAGES, padding=0, flip=False, generator=seeded()), IMAGES)


def test_no_flip_means_no_mirrored_image() -> None:
    out = crop_and_flip(IMAGES, padding=1, flip=False, generator=seeded())
    for before, after in zip(IMAGES, out, strict=True):
        assert any(torch.equal(after, one) for one in crops(before, 1))


def test_the_generator_decides() -> None:
    one, same, other = (crop_and_flip(IMAGES, padding=2, flip=True, generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_memory_is_channels_last() -> None:
    out = crop_and_flip(IMAGES, padding=2, flip=True, generator=seeded())
    assert out.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.gpu
def test_an_accelerator_sees_the_same_draws() -> None:
    here = crop_and_flip(IMAGES, padding=2, flip=True, generator=seeded())
    there = crop_and_flip(IMAGES.cuda(), padding=2, flip=True, generator=seeded())
    assert torch.equal(here, there.cpu())
