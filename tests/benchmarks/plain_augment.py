"""Augmentation as recipes are usually run: Pillow, one image after the other, with Python's own random numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor
from torch.nn import functional

BILINEAR, AFFINE = Image.Resampling.BILINEAR, Image.Transform.AFFINE
GRAY = 128


def rotate(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, resample=BILINEAR, fillcolor=(GRAY,) * len(image.getbands()))


def affine(image: Image.Image, *entries: float) -> Image.Image:
    return image.transform(image.size, AFFINE, entries, resample=BILINEAR, fillcolor=(GRAY,) * len(image.getbands()))


def solarize_add(image: Image.Image, amount: float) -> Image.Image:
    table = [min(255, level + int(amount)) if level < 128 else level for level in range(256)]
    return image.point(table * len(image.getbands()))


def posterize(image: Image.Image, bits: float) -> Image.Image:
    return ImageOps.posterize(image, int(bits)) if bits else image.point(lambda _: 0)


OPERATIONS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "AutoContrast": lambda image, _: ImageOps.autocontrast(image),
    "Equalize": lambda image, _: ImageOps.equalize(image),
    "Invert": lambda image, _: ImageOps.invert(image),
    "PosterizeIncreasing": posterize,
    "SolarizeIncreasing": lambda image, threshold: ImageOps.solarize(image, int(threshold)),
    "SolarizeAdd": solarize_add,
    "ColorIncreasing": lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    "ContrastIncreasing": lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
    "BrightnessIncreasing": lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
    "SharpnessIncreasing": lambda image, factor: ImageEnhance.Sharpness(image).enhance(factor),
    "Rotate": rotate,
    "ShearX": lambda image, slope: affine(image, 1, slope, 0, 0, 1, 0),
    "ShearY": lambda image, slope: affine(image, 1, 0, 0, slope, 1, 0),
    "TranslateXRel": lambda image, share: affine(image, 1, 0, share * image.size[0], 0, 1, 0),
    "TranslateYRel": lambda image, share: affine(image, 1, 0, 0, 0, 1, share * image.size[1]),
}

ARGUMENTS: dict[str, Callable[[float, int], float]] = {
    "AutoContrast": lambda strength, sign: 0,
    "Equalize": lambda strength, sign: 0,
    "Invert": lambda strength, sign: 0,
    "PosterizeIncreasing": lambda strength, sign: 4 - int(4 * strength),
    "SolarizeIncreasing": lambda strength, sign: 256 - int(256 * strength),
    "SolarizeAdd": lambda strength, sign: int(110 * strength),
    "ColorIncreasing": lambda strength, sign: 1 + 0.9 * strength * sign,
    "ContrastIncreasing": lambda strength, sign: 1 + 0.9 * strength * sign,
    "BrightnessIncreasing": lambda strength, sign: 1 + 0.9 * strength * sign,
    "SharpnessIncreasing": lambda strength, sign: 1 + 0.9 * strength * sign,
    "Rotate": lambda strength, sign: 30 * strength * sign,
    "ShearX": lambda strength, sign: 0.3 * strength * sign,
    "ShearY": lambda strength, sign: 0.3 * strength * sign,
    "TranslateXRel": lambda strength, sign: 0.45 * strength * sign,
    "TranslateYRel": lambda strength, sign: 0.45 * strength * sign,
}


def rand_augment(image: Image.Image) -> Image.Image:
    """`rand-m9-mstd0.5-inc1`."""
    for name in random.choices(list(OPERATIONS), k=2):
        if random.random() < 0.5:
            strength = min(max(random.gauss(9, 0.5), 0), 10) / 10
            image = OPERATIONS[name](image, ARGUMENTS[name](strength, random.choice((-1, 1))))
    return image


def crop_and_flip(image: Image.Image) -> Image.Image:
    """A crop after padding by an eighth, mirrored or not."""
    (width, height), padding = image.size, image.size[0] // 8
    left, top = random.randint(0, 2 * padding), random.randint(0, 2 * padding)
    image = ImageOps.expand(image, padding).crop((left, top, left + width, top + height))
    return ImageOps.mirror(image) if random.random() < 0.5 else image


def resized_crop(image: Image.Image) -> Image.Image:
    """A box of 8 to 100 % of the area at the image's own size, mirrored or not."""
    width, height = image.size
    box = (0.0, 0.0, float(width), float(height))
    for _ in range(10):
        area, aspect = (
            random.uniform(0.08, 1) * width * height,
            math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3))),
        )
        across, down = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < across <= width and 0 < down <= height:
            left, top = random.randint(0, width - across), random.randint(0, height - down)
            box = (left, top, left + across, top + down)
            break
    image = image.resize((width, height), BILINEAR, box=box)
    return ImageOps.mirror(image) if random.random() < 0.5 else image


def crop_and_flip_tensor(image: Tensor) -> Tensor:
    """The same on (C, H, W) with slices."""
    side = image.shape[2]
    padding = side // 8
    padded = functional.pad(image, (padding,) * 4)
    left, top = random.randint(0, 2 * padding), random.randint(0, 2 * padding)
    cropped = padded[:, top : top + side, left : left + side]
    return cropped.flip(2) if random.random() < 0.5 else cropped


def stacked(images: Sequence[Image.Image]) -> Tensor:
    """uint8, (N, C, H, W)."""
    return torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in images])


def mixup(images: Tensor, labels: Tensor, *, classes: int) -> tuple[Tensor, Tensor]:
    """With one share for the batch, and soft targets."""
    share = float(np.random.beta(0.8, 0.8))
    targets = functional.one_hot(labels, classes).float() * 0.9 + 0.1 / classes
    return share * images + (1 - share) * images.flip(0), share * targets + (1 - share) * targets.flip(0)
