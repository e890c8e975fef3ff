"""Images to augment, and Pillow as the reference; its operations are those that the benchmarks compare with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Generator, Tensor
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

Each = Callable[..., Tensor]


@pytest.fixture(params=[(3, 33, 26), (1, 16, 21)], ids=["colour", "gray"])
def pictures(request: pytest.FixtureRequest) -> Tensor:
    """48 images, uint8: noise, soft shapes, dark or bright ones, ones of few levels and even ones."""
    channels, height, width = request.param
    generator = Generator().manual_seed(3)
    noise = torch.randint(256, (24, channels, height, width), generator=generator)
    coarse = torch.rand(24, channels, 5, 4, generator=generator)
    soft = functional.interpolate(coarse, (height, width), mode="bilinear").mul_(255)
    images = torch.cat((noise, soft)).to(torch.uint8)
    images[20] //= 3
    images[21] = images[21] // 4 + 190
    images[22] = images[22] // 100 * 100
    images[23] = 77
    return images


@pytest.fixture
def by_pillow() -> Each:
    """Makes the reference: calls a function of a Pillow image, and of its element of each argument, for every image."""

    def run(images: Tensor, work: Callable[..., Image.Image], *arguments: Tensor) -> Tensor:
        elements = zip(images, *(values.tolist() for values in arguments), strict=True)
        return torch.stack([array(work(picture(image), *values)) for image, *values in elements])

    return run


def picture(image: Tensor) -> Image.Image:
    levels = image.permute(1, 2, 0).numpy()
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def array(image: Image.Image) -> Tensor:
    levels = torch.from_numpy(np.array(image))
    return levels[None] if levels.dim() == 2 else levels.permute(2, 0, 1)
