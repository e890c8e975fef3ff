"""Affine maps of images, in batch: one sampling for rotations, shears and shifts together.

A matrix (2, 3) maps where a pixel of the result lies to where it comes from, in coordinates in which the image reaches
from -1 to 1 in both directions. The functions that make matrices take float64 (N,) on the CPU and give (N, 2, 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nas.train.augment.draws import moved


def rotation(degrees: Tensor, aspect: float) -> Tensor:
    """Turn counter-clockwise around the centre; `aspect` is width / height, here and below."""
    angle = torch.deg2rad(degrees)
    sine, cosine, zero = torch.sin(angle), torch.cos(angle), torch.zeros_like(angle)
    return _matrices((cosine, -sine / aspect, zero), (sine * aspect, cosine, zero))


def shear_x(slope: Tensor, aspect: float) -> Tensor:
    """Rows come from `slope` times their distance from the upper border further right."""
    zero, one = torch.zeros_like(slope), torch.ones_like(slope)
    return _matrices((one, slope / aspect, slope / aspect), (zero, one, zero))


def shear_y(slope: Tensor, aspect: float) -> Tensor:
    """Columns come from `slope` times their distance from the left border further down."""
    zero, one = torch.zeros_like(slope), torch.ones_like(slope)
    return _matrices((one, zero, zero), (slope * aspect, one, slope * aspect))


def shift_x(share: Tensor) -> Tensor:
    """Pixels come from `share` of the width further right."""
    zero, one = torch.zeros_like(share), torch.ones_like(share)
    return _matrices((one, zero, 2 * share), (zero, one, zero))


def shift_y(share: Tensor) -> Tensor:
    """Pixels come from `share` of the height further down."""
    zero, one = torch.zeros_like(share), torch.ones_like(share)
    return _matrices((one, zero, zero), (zero, one, 2 * share))


def transform(images: Tensor, matrices: Tensor, *, fill: Sequence[int]) -> Tensor:
    """Sample every image through its own matrix, bilinear; `fill` shows where there is nothing.

    As Pillow's `Image.transform`: a pixel is either inside or filled, with no blending at the border.

    Args:
        images: uint8, (N, C, H, W).
        matrices: (N, 2, 3), on the CPU.
        fill: a level for every channel, or one for all.

    Returns:
        uint8, (N, C, H, W), contiguous.
    """
    count, _, height, width = images.shape
    y, x = _centres(height, images.device)[:, None], _centres(width, images.device)
    entries = moved(matrices.float(), images.device)[..., None, None].unbind(2)  # (N, 2, 1, 1) each
    to_x, to_y = (entries[0] * x + entries[2] + entries[1] * y).unbind(1)  # (N, H, W) each
    is_inside = torch.maximum(to_x.abs(), to_y.abs()) < 1
    grid = images.new_empty((count, height, width, 2), dtype=torch.float32)
    grid[..., 0], grid[..., 1] = to_x, to_y
    background = moved(torch.tensor(fill, dtype=torch.float32), images.device)[:, None, None]
    shifted = images.float().sub_(background)
    sampled = functional.grid_sample(shifted, grid, padding_mode="border", align_corners=False)
    # Levels are cut off, as in Pillow, and the rounding of float32 must not take one from an even area.
    return sampled.mul_(is_inside[:, None]).add_(background + 2**-10).to(torch.uint8)


def _centres(side: int, device: torch.device) -> Tensor:
    """Where the centres of `side` pixels lie between -1 and 1."""
    return (2 * torch.arange(side, device=device) + 1) / side - 1


def _matrices(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Six entries (N,) each -> (N, 2, 3)."""
    return torch.stack((*first, *second), 1).view(-1, 2, 3)
