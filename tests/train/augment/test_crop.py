from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from nas.train.augment import crop_and_flip, random_resized_crop
from nas.train.augment.boxes import Boxes, draw_boxes
from nas.train.augment.resample import resize_boxes

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


def test_crop_of_a_random_size_is_the_box_it_drew() -> None:
    images = torch.zeros(300, 1, 40, 40, dtype=torch.uint8)
    images[:, :, 10:30, 10:30] = 255
    out = random_resized_crop(images, size=8, scale=(0.25, 0.25), ratio=(1, 1), flip=False, generator=seeded())
    boxes, _ = draw_boxes(300, 40, 40, area=(0.25, 0.25), aspect=(1, 1), generator=seeded())
    inside = torch.minimum(boxes.top + 20, torch.tensor(30)) - boxes.top.clamp(min=10)  # rows of the square in the box
    across = torch.minimum(boxes.left + 20, torch.tensor(30)) - boxes.left.clamp(min=10)
    covered = out.double().mean((1, 2, 3)) / 255
    torch.testing.assert_close(covered, inside * across / 400, atol=0.03, rtol=0)


def test_the_whole_image_at_its_own_size_is_itself() -> None:
    images = IMAGES[:, :, :7]
    for flip in (False, True):
        out = random_resized_crop(images, size=7, scale=(1, 1), ratio=(1, 1), flip=flip, generator=seeded())
        mirrored = (out == images.flip(3)).all(dim=(1, 2, 3))
        assert torch.equal(out[~mirrored], images[~mirrored])
        assert 20 < mirrored.sum() < 44 if flip else not mirrored.any()


def test_a_mirrored_crop_is_the_mirror_of_the_crop() -> None:
    def cropped(flip: bool) -> Tensor:
        return random_resized_crop(IMAGES, size=6, flip=flip, generator=seeded())

    plain, flipped = cropped(flip=False).int(), cropped(flip=True).int()
    same, mirror = ((flipped - one).abs().amax(dim=(1, 2, 3)) <= 1 for one in (plain, plain.flip(3)))  # roundings
    assert (same ^ mirror).all()
    assert 20 < mirror.sum() < 44


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(100, 10, (43, 0, 13, 10)), (10, 100, (0, 43, 10, 13)), (9, 9, (0, 0, 9, 9))],
    ids=["upright", "wide", "square"],
)
def test_where_no_box_fits_the_middle_is_taken(height: int, width: int, expected: tuple[int, ...]) -> None:
    images = torch.randint(256, (3, 1, height, width), dtype=torch.uint8, generator=seeded())
    out = random_resized_crop(images, size=5, scale=(4, 5), flip=False, generator=seeded())
    boxes = Boxes(*(torch.full((3,), side, dtype=torch.float64) for side in expected))
    assert torch.equal(out, resize_boxes(images, boxes, size=5))
