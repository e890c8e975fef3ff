"""Batches of uint8 images at another size."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def resize(images: Tensor, side: int) -> Tensor:
    """Bilinear with anti-aliasing, as images are resized when they are read.

    Args:
        images: uint8, (N, C, S, S).
        side: of the result, in pixels; no larger than S makes sense.

    Returns:
        uint8, (N, C, side, side); the images themselves where that is their size.
    """
    if images.shape[-1] == side:
        return images
    resized = functional.interpolate(images.float(), (side, side), mode="bilinear", antialias=True)
    return resized.round_().clamp_(0, 255).to(images.dtype)


def central_crop(images: Tensor, side: int) -> Tensor:
    """The middle of (N, C, S, S): (N, C, side, side)."""
    first = (images.shape[-1] - side) // 2
    return images[..., first : first + side, first : first + side]
