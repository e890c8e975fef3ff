"""Against Pillow's `Image.resize(box=...)`, which works in fixed point and rounds between the two directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Generator, Tensor

from nas.train.augment.boxes import Boxes, draw_boxes
from nas.train.augment.resample import resize_boxes

Each = Callable[..., Tensor]


def resized(size: int) -> Callable[..., Image.Image]:
    def work(image: Image.Image, top: float, left: float, height: float, width: float) -> Image.Image:
        box = (left, top, left + width, top + height)
        return image.resize((size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=None)

    return work


@pytest.mark.parametrize("size", [1, 7, 16, 64])
def test_box_is_resized_as_by_pillow(pictures: Tensor, by_pillow: Each, size: int) -> None:
    count, _, height, width = pictures.shape
    generator = Generator().manual_seed(size)
    boxes, _ = draw_boxes(count, height, width, area=(0.08, 1), aspect=(0.5, 2), generator=generator)
    expected = by_pillow(pictures, resized(size), *boxes)
    ours = resize_boxes(pictures, boxes, size=size)
    assert ours.dtype == torch.uint8
    assert (ours.int() - expected.int()).abs().max() <= 1


def test_box_between_pixels_is_resized_as_by_pillow(pictures: Tensor, by_pillow: Each) -> None:
    parts = torch.rand(4, len(pictures), dtype=torch.float64, generator=Generator().manual_seed(0))
    boxes = Boxes(parts[0] * 8, parts[1] * 8, 3 + parts[2] * 5, 2 + parts[3] * 6)
    ours = resize_boxes(pictures, boxes, size=9)
    assert (ours.int() - by_pillow(pictures, resized(9), *boxes).int()).abs().max() <= 1


def test_an_even_image_stays_even() -> None:
    even = torch.full((100, 1, 17, 17), 255, dtype=torch.uint8)
    boxes, _ = draw_boxes(100, 17, 17, area=(0.1, 1), aspect=(0.5, 2), generator=Generator().manual_seed(0))
    assert (resize_boxes(even, boxes, size=12) == 255).all()
