"""Each operation against Pillow, whose code is another one: exact but where Pillow's own arithmetic is rounded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from plain_augment import OPERATIONS
from torch import Generator, Tensor

from nas.train.augment import color

Each = Callable[..., Tensor]


def levels_apart(one: Tensor, other: Tensor) -> int:
    assert one.dtype == other.dtype == torch.uint8
    assert one.shape == other.shape
    return int((one.int() - other.int()).abs().max())


@pytest.mark.parametrize(
    ("name", "ours", "apart"),
    [
        ("AutoContrast", color.auto_contrast, 1),  # Pillow multiplies by 255 / range, which is rounded
        ("Equalize", color.equalize, 0),
        ("Invert", color.invert, 0),
    ],
)
def test_operation_without_argument(
    pictures: Tensor, by_pillow: Each, name: str, ours: Callable[[Tensor], Tensor], apart: int
) -> None:
    unused = torch.zeros(len(pictures))
    assert levels_apart(ours(pictures), by_pillow(pictures, OPERATIONS[name], unused)) <= apart


@pytest.mark.parametrize(
    ("name", "ours", "low", "high"),
    [
        ("PosterizeIncreasing", color.posterize, 0, 8),
        ("SolarizeIncreasing", color.solarize, 0, 256),
        ("SolarizeAdd", color.solarize_add, 0, 128),
    ],
)
def test_operation_with_a_whole_number(
    pictures: Tensor, by_pillow: Each, name: str, ours: Callable[[Tensor, Tensor], Tensor], low: int, high: int
) -> None:
    arguments = torch.linspace(low, high, len(pictures)).round()
    assert levels_apart(ours(pictures, arguments), by_pillow(pictures, OPERATIONS[name], arguments)) == 0


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("ColorIncreasing", color.saturation),
        ("ContrastIncreasing", color.contrast),
        ("BrightnessIncreasing", color.brightness),
        ("SharpnessIncreasing", color.sharpness),
    ],
)
def test_enhancement(pictures: Tensor, by_pillow: Each, name: str, ours: Callable[[Tensor, Tensor], Tensor]) -> None:
    factors = torch.linspace(0.1, 1.9, len(pictures))
    assert levels_apart(ours(pictures, factors), by_pillow(pictures, OPERATIONS[name], factors)) == 0


def test_equalize_of_few_pixels_stays_in_range(by_pillow: Each) -> None:
    few = torch.randint(256, (64, 3, 20, 14), dtype=torch.uint8, generator=Generator().manual_seed(0))
    assert levels_apart(color.equalize(few), by_pillow(few, OPERATIONS["Equalize"], torch.zeros(64))) == 0
    fewer = few[..., :2]  # too few for a step of 1: they stay
    assert torch.equal(color.equalize(fewer), fewer)


def test_saturation_leaves_gray_images_alone() -> None:
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(color.saturation(images, torch.tensor([0.3])), images)


def test_sharpness_leaves_images_without_an_inside_alone() -> None:
    images = torch.randint(256, (2, 3, 9, 2), dtype=torch.uint8, generator=Generator().manual_seed(0))
    assert torch.equal(color.sharpness(images, torch.tensor([0.1, 1.9])), images)


def test_a_factor_of_one_changes_nothing(pictures: Tensor) -> None:
    ones = torch.ones(len(pictures))
    for operation in (color.saturation, color.contrast, color.brightness, color.sharpness):
        assert torch.equal(operation(pictures, ones), pictures)
