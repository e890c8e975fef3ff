"""Rectangles of random area and aspect, one for every image: what is cropped, or erased."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from nas.train.augment.draws import uniform

ATTEMPTS = 10

Range = tuple[float, float]
"""Smallest and largest value."""


class Boxes(NamedTuple):
    """A rectangle in each of N images, in pixels; each field is float64, (N,), on the CPU."""

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor

    def rows(self, height: int) -> Tensor:
        """Which of an image's `height` rows the boxes cover, bool (N, height)."""
        return _covered(self.top, self.height, height)

    def columns(self, width: int) -> Tensor:
        """Which of an image's `width` columns the boxes cover, bool (N, width)."""
        return _covered(self.left, self.width, width)


def draw_boxes(
    count: int, height: int, width: int, *, area: Range, aspect: Range, generator: Generator
) -> tuple[Boxes, Tensor]:
    """Draw a box for each of `count` images, of whole pixels and inside the image.

    Share of the area and logarithm of the aspect are uniform, ten times at most, until the box fits; where it lies is
    uniform.

    Args:
        count: how many images.
        height: of the images.
        width: of the images.
        area: range of the box's share of the image.
        aspect: range of width / height.
        generator: on the CPU.

    Returns:
        The boxes, and which of them are valid, bool (N,); a box is not where no attempt fitted, and then is empty.
    """
    shape = (count, ATTEMPTS)
    areas = uniform(*area, shape, generator) * (height * width)
    aspects = torch.exp(uniform(math.log(aspect[0]), math.log(aspect[1]), shape, generator))
    widths, heights = torch.sqrt(areas * aspects).round(), torch.sqrt(areas / aspects).round()
    fits = (widths >= 1) & (widths <= width) & (heights >= 1) & (heights <= height)
    first, is_valid = fits.int().argmax(1, keepdim=True), fits.any(1)
    box_height = heights.gather(1, first).squeeze(1) * is_valid
    box_width = widths.gather(1, first).squeeze(1) * is_valid
    down, right = uniform(0, 1, (2, count), generator)
    top = torch.floor(down * (height - box_height + 1))
    left = torch.floor(right * (width - box_width + 1))
    return Boxes(top, left, box_height, box_width), is_valid


def _covered(start: Tensor, length: Tensor, side: int) -> Tensor:
    positions = torch.arange(side)
    return (positions >= start[:, None]) & (positions < (start + length)[:, None])
