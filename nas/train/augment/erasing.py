"""Random Erasing (arXiv:1708.04896)."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from nas.train.augment.boxes import Boxes, Range, draw_boxes
from nas.train.augment.draws import moved


def random_erasing(
    images: Tensor,
    *,
    probability: float,
    area: Range = (0.02, 1 / 3),
    aspect: Range = (0.3, 1 / 0.3),
    generator: Generator,
) -> Tensor:
    """Replace a random box of some of the images by noise, a draw for every pixel and channel.

    The noise is normal with mean 0 and deviation 1, for images that are normalised to that, as in ConvNeXt's recipe;
    the paper takes uniform noise. All of it comes from the CPU's generator, so it is the same on every device, and only
    for the pixels that are erased, about 4 % at a probability of 0.25. An image where ten draws of a box do not fit
    stays as it is.

    Args:
        images: floating point, (N, C, H, W), normalised.
        probability: share of the images that lose a box.
        area: range of the box's share of the image.
        aspect: range of the box's width / height.
        generator: on the CPU.

    Returns:
        Like `images`.
    """
    count, channels, height, width = images.shape
    boxes, is_valid = draw_boxes(count, height, width, area=area, aspect=aspect, generator=generator)
    chosen = (is_valid & (torch.rand(count, generator=generator) < probability)).nonzero().squeeze(1)
    boxes = Boxes(*(field[chosen] for field in boxes))
    pixels = int((boxes.height * boxes.width).sum()) * channels
    noise = moved(torch.randn(pixels, generator=generator).to(images.dtype), images.device)
    rows, columns = moved(boxes.rows(height), images.device), moved(boxes.columns(width), images.device)
    erased = rows[:, None, :, None] & columns[:, None, None, :]  # (n, 1, H, W)
    there = moved(chosen, images.device)
    return images.index_copy(0, there, images.index_select(0, there).masked_scatter_(erased, noise))
