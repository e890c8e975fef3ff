"""Operations on the levels of images, in batch: what Pillow's ImageOps and ImageEnhance do to one image.

Images are uint8, (N, C, H, W), with 1 or 3 channels; arguments are float32, (N,), one for each image, on the images'
device. Every result is uint8 and equals Pillow's but for its roundings, which the tests bound.
"""

from __future__ import annotations

import torch
from torch import Tensor

BRIGHTEST = 255


def auto_contrast(images: Tensor) -> Tensor:
    """Stretch every channel to the levels 0 to 255; one of a single level stays."""
    low, high = images.amin((2, 3), keepdim=True).float(), images.amax((2, 3), keepdim=True).float()
    is_flat = high == low
    low, extent = low.masked_fill(is_flat, 0), (high - low).masked_fill(is_flat, BRIGHTEST)
    return (images.float() - low).mul_(BRIGHTEST).div_(extent).to(torch.uint8)


def equalize(images: Tensor) -> Tensor:
    """Give every channel a histogram as even as a table of levels can make it."""
    flat = images.flatten(2).long()  # (N, C, H W), as `scatter_add` and `gather` take it
    counts = flat.new_zeros(*flat.shape[:2], BRIGHTEST + 1).scatter_add_(2, flat, torch.ones_like(flat))
    # As in Pillow, the pixels of the brightest level present do not count towards the step.
    step = (flat.shape[2] - counts.gather(2, flat.amax(2, keepdim=True))) // BRIGHTEST  # (N, C, 1)
    table = (counts.cumsum(2) - counts + step // 2) // step.clamp(min=1)
    unchanged = torch.arange(BRIGHTEST + 1, device=images.device)
    table = torch.where(step > 0, table.clamp_(max=BRIGHTEST), unchanged).to(torch.uint8)
    return table.gather(2, flat).view(images.shape)


def invert(images: Tensor) -> Tensor:
    """The negative."""
    return ~images


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the upper `bits` of every level, a whole number from 0 to 8; Pillow begins at 1."""
    mask = BRIGHTEST + 1 - torch.exp2(8 - bits)
    return images & _each(mask).to(torch.uint8)


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the levels from `threshold` on."""
    return images ^ (images >= _each(threshold)).to(torch.uint8).mul_(BRIGHTEST)


def solarize_add(images: Tensor, amount: Tensor) -> Tensor:
    """Add `amount` to the levels in the lower half, up to 255."""
    return (images + (images < 128) * _each(amount)).clamp_(max=BRIGHTEST).to(torch.uint8)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Towards gray below a factor of 1, away from it above; gray images stay. Pillow calls it Color."""
    return _blend(_luma(images), images, factor)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Towards the image's mean luma below a factor of 1, away from it above."""
    luma = _luma(images)
    pixels = luma.shape[2] * luma.shape[3]
    mean = (2 * luma.sum((1, 2, 3), dtype=torch.int64) + pixels) // (2 * pixels)  # half a level rounds up
    return _blend(_each(mean), images, factor)


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Towards black below a factor of 1, away from it above."""
    return _blend(images.new_zeros(()), images, factor)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Towards a smoothed image below a factor of 1, away from it above; the outermost pixels stay."""
    if min(images.shape[2:]) < 3:
        return images
    smooth = images.float()
    inner = smooth[:, :, 1:-1, 1:-1]
    rows = smooth[:, :, :-2] + smooth[:, :, 1:-1] + smooth[:, :, 2:]
    around = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]  # sums over 3 x 3
    inner.copy_(around.add_(inner, alpha=4).div_(13).round_())
    return _blend(smooth, images, factor)


def _blend(other: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    """From `other` at a factor of 0 over `images` at 1 to beyond; parts of a level are cut off, as in Pillow."""
    start = other.float()
    return (images.float() - start).mul_(_each(factor)).add_(start).clamp_(0, BRIGHTEST).to(torch.uint8)


def _luma(images: Tensor) -> Tensor:
    """Gray levels (N, 1, H, W), of ITU-R 601-2 with Pillow's 16 bits; int32, or the images where they are gray."""
    if images.shape[1] == 1:
        return images
    red, green, blue = torch.split(images.int(), 1, 1)
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16


def _each(values: Tensor) -> Tensor:
    """(N,) -> (N, 1, 1, 1)."""
    return values[:, None, None, None]
