"""Each affine map against Pillow's own of the same name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from plain_augment import GRAY, OPERATIONS
from torch import Tensor

from nas.train.augment import geometry

Each = Callable[..., Tensor]


@pytest.mark.parametrize(
    ("name", "matrices", "limit"),
    [
        ("Rotate", geometry.rotation, 30),
        ("ShearX", geometry.shear_x, 0.3),
        ("ShearY", geometry.shear_y, 0.3),
        ("TranslateXRel", lambda share, _: geometry.shift_x(share), 0.45),
        ("TranslateYRel", lambda share, _: geometry.shift_y(share), 0.45),
    ],
)
def test_map_is_that_of_pillow(
    pictures: Tensor, by_pillow: Each, name: str, matrices: Callable[[Tensor, float], Tensor], limit: float
) -> None:
    arguments = torch.linspace(-limit, limit, len(pictures), dtype=torch.float64)
    aspect = pictures.shape[3] / pictures.shape[2]
    ours = geometry.transform(pictures, matrices(arguments, aspect), fill=(GRAY,))
    apart = (ours.int() - by_pillow(pictures, OPERATIONS[name], arguments).int()).abs()
    assert apart.max() <= 1
    assert (apart > 0).float().mean() < 0.01


def test_no_motion_changes_nothing(pictures: Tensor) -> None:
    still = torch.zeros(len(pictures), dtype=torch.float64)
    assert torch.equal(geometry.transform(pictures, geometry.shift_x(still), fill=(GRAY,)), pictures)
    assert torch.equal(geometry.transform(pictures, geometry.rotation(still, 0.7), fill=(GRAY,)), pictures)


def test_an_even_image_stays_even_inside() -> None:
    even = torch.full((50, 3, 12, 12), 77, dtype=torch.uint8)
    turned = geometry.transform(even, geometry.rotation(torch.linspace(0, 90, 50, dtype=torch.float64), 1), fill=(77,))
    assert torch.equal(turned, even)


def test_one_level_fills_every_channel() -> None:
    images = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    away = geometry.shift_x(torch.tensor([5.0], dtype=torch.float64))
    assert (geometry.transform(images, away, fill=(GRAY,)) == GRAY).all()
