"""Crops: the shift of small images, and the crop of random size of large ones, both with a mirror image for half."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional

from nas.train.augment.boxes import Boxes, Range, draw_boxes
from nas.train.augment.draws import moved
from nas.train.augment.resample import resize_boxes


def crop_and_flip(images: Tensor, *, padding: int, flip: bool, generator: Generator) -> Tensor:
    """Shift every image by its own draw of -padding..padding in both directions, and mirror about half of them.

    Args:
        images: uint8, (N, C, H, W); what is shifted in is black.
        padding: largest shift in pixels; 0 shifts nothing.
        flip: whether to mirror at all.
        generator: on the CPU, so that every device sees the same draws.

    Returns:
        uint8, (N, C, H, W), contiguous.
    """
    count, channels, height, width = images.shape
    top, left = torch.randint(2 * padding + 1, (2, count, 1), generator=generator)  # (N, 1) each
    columns = left + torch.arange(width)  # (N, W)
    if flip:
        columns = torch.where(_half(count, generator)[:, None], columns.flip(1), columns)
    top, columns = torch.split(moved(torch.cat((top, columns), 1), images.device), [1, width], 1)
    padded = functional.pad(images.contiguous(), (padding,) * 4)
    side = height + 2 * padding
    planes = torch.arange(0, count * channels * side, side, device=images.device).view(count, channels, 1)
    rows = planes + (top[:, None] + torch.arange(height, device=images.device))  # (N, C, H)
    # Whole rows first, then pixels in them: on a CPU a third less time at 224x224 than one index for every pixel.
    picked = padded.flatten(0, 2).index_select(0, rows.flatten()).view(count, channels * height, -1)
    return picked.gather(2, columns[:, None].expand(-1, channels * height, -1)).view(images.shape)


def random_resized_crop(
    images: Tensor,
    *,
    size: int,
    scale: Range = (0.08, 1.0),
    ratio: Range = (3 / 4, 4 / 3),
    flip: bool,
    generator: Generator,
) -> Tensor:
    """Resize a random box of every image to `size` x `size`, and mirror about half of them.

    The crop of GoogLeNet (arXiv:1409.4842, section 6) in the form that the ConvNets' recipes use: up to ten draws of
    area and aspect, then the largest central box whose aspect is allowed. Bilinear, anti-aliased; differs from
    cropping first in that the outermost pixels see their neighbours outside the box.

    Args:
        images: uint8, (N, C, H, W).
        size: of the result in pixels.
        scale: range of the box's share of the image's area.
        ratio: range of the box's width / height.
        flip: whether to mirror at all.
        generator: on the CPU, so that every device sees the same draws.

    Returns:
        uint8, (N, C, size, size), contiguous.
    """
    count, _, height, width = images.shape
    drawn, is_valid = draw_boxes(count, height, width, area=scale, aspect=ratio, generator=generator)
    central = _central(height, width, ratio)
    boxes = Boxes(*(torch.where(is_valid, one, other) for one, other in zip(drawn, central, strict=True)))
    mirrored = _half(count, generator) if flip else None
    return resize_boxes(images, boxes, size=size, mirrored=mirrored)


def _half(count: int, generator: Generator) -> Tensor:
    """True for about half of `count`, bool (N,)."""
    return torch.rand(count, generator=generator) < 0.5


def _central(height: int, width: int, ratio: Range) -> Boxes:
    """The largest box in the middle whose width / height lies in `ratio`; fields of one element."""
    box_height = min(height, max(1, round(width / ratio[0])))
    box_width = min(width, max(1, round(height * ratio[1])))
    sides = ((height - box_height) // 2, (width - box_width) // 2, box_height, box_width)
    return Boxes(*torch.tensor(sides, dtype=torch.float64)[:, None])
