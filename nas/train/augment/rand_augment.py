"""RandAugment (arXiv:1909.13719) in the variant of ConvNeXt's recipe, `rand-m9-mstd0.5-inc1`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from nas.errors import FieldError
from nas.train.augment import color, geometry
from nas.train.augment.draws import moved

STRONGEST = 10.0
"""The magnitude at which every argument is at its end."""


class Span(NamedTuple):
    """How an operation's argument follows from the magnitude.

    Attributes:
        start: at magnitude 0.
        end: at magnitude 10; linear between.
        is_signed: whether it goes as far to the other side of `start` in half of the draws.
        is_whole: whether what is added to `start` loses its fraction.
    """

    start: float = 0.0
    end: float = 0.0
    is_signed: bool = False
    is_whole: bool = False


FACTOR = Span(1, 1.9, is_signed=True)

COLOR: dict[str, tuple[Span, Callable[[Tensor, Tensor], Tensor]]] = {
    "AutoContrast": (Span(), lambda images, _: color.auto_contrast(images)),
    "Equalize": (Span(), lambda images, _: color.equalize(images)),
    "Invert": (Span(), lambda images, _: color.invert(images)),
    "PosterizeIncreasing": (Span(4, 0, is_whole=True), color.posterize),
    "SolarizeIncreasing": (Span(256, 0, is_whole=True), color.solarize),
    "SolarizeAdd": (Span(0, 110, is_whole=True), color.solarize_add),
    "ColorIncreasing": (FACTOR, color.saturation),
    "ContrastIncreasing": (FACTOR, color.contrast),
    "BrightnessIncreasing": (FACTOR, color.brightness),
    "SharpnessIncreasing": (FACTOR, color.sharpness),
}
"""What takes images (n, C, H, W) and arguments (n,)."""

GEOMETRY: dict[str, tuple[Span, Callable[[Tensor, float], Tensor]]] = {
    "Rotate": (Span(0, 30, is_signed=True), geometry.rotation),
    "ShearX": (Span(0, 0.3, is_signed=True), geometry.shear_x),
    "ShearY": (Span(0, 0.3, is_signed=True), geometry.shear_y),
    "TranslateXRel": (Span(0, 0.45, is_signed=True), lambda share, _: geometry.shift_x(share)),
    "TranslateYRel": (Span(0, 0.45, is_signed=True), lambda share, _: geometry.shift_y(share)),
}
"""What makes matrices (n, 2, 3) from arguments (n,) and the images' width / height."""

SPANS = (*(span for span, _ in COLOR.values()), *(span for span, _ in GEOMETRY.values()))
NOTHING = len(SPANS)
"""The operation of an image that is left alone."""


class Layer(NamedTuple):
    """One operation for each of N images: its place among colour and geometry, or NOTHING, and its argument."""

    operation: Tensor
    argument: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class RandAugment:
    """Some random operations, one after the other, each of a random strength; every image draws its own.

    Fifteen operations, equally likely, drawn with repetition. As in ConvNeXt's recipe, and other than in the paper, the
    effect of every one grows with the magnitude, the magnitude is noisy, and only a share of the operations is applied.
    Differs from that recipe in that geometry is sampled bilinearly, within one grey level of timm's operations given
    that filter. Theirs is bicubic: timm hands the filter that resizes the crops on to the operations, bicubic in
    ConvNeXt's recipe, and draws between bilinear and bicubic only where that filter is `random`.
    torchvision's `RandAugment`, another variant, takes the nearest pixel unless told otherwise.

    Attributes:
        count: operations on each image.
        magnitude: their mean strength, from 0 to 10.
        std: deviation of the strength, which is normal and then clipped to 0 to 10.
        probability: share of the operations that are applied.
        fill: level of pixels that come from outside an image: one for every channel, or one for all.
    """

    count: int = 2
    magnitude: float = 9.0
    std: float = 0.5
    probability: float = 0.5
    fill: tuple[int, ...] = (128,)

    def __post_init__(self) -> None:
        for field, most in (("count", math.inf), ("magnitude", STRONGEST), ("std", math.inf), ("probability", 1)):
            value = getattr(self, field)
            if not 0 <= value <= most:
                raise FieldError(field, f"{field} lies between 0 and {most:g}, got {value}")

    def __call__(self, images: Tensor, *, generator: Generator) -> Tensor:
        """Augment a batch.

        Args:
            images: uint8, (N, C, H, W), with 1 or 3 channels.
            generator: on the CPU, so that every device sees the same draws.

        Returns:
            uint8, (N, C, H, W).
        """
        place = torch.arange(len(images))  # where each image lies; images of one operation lie side by side
        for layer in self.draw(len(images), generator=generator):
            order = layer.operation.argsort(stable=True)
            images = images.index_select(0, moved(place[order], images.device))
            self._apply(images, Layer(layer.operation[order], layer.argument[order]))
            place = order.argsort()
        return images.index_select(0, moved(place, images.device))

    def draw(self, images: int, *, generator: Generator) -> list[Layer]:
        """What is to be done to so many images, in order."""
        shape = (self.count, images)
        drawn = torch.randint(len(SPANS), shape, generator=generator)
        is_applied = torch.rand(shape, generator=generator) < self.probability
        noise = torch.randn(shape, dtype=torch.float64, generator=generator)
        sign = torch.randint(2, shape, generator=generator) * 2 - 1
        strength = (self.magnitude + self.std * noise).clamp(0, STRONGEST) / STRONGEST
        operation = torch.where(is_applied, drawn, NOTHING)
        return [Layer(*layer) for layer in zip(operation, _arguments(drawn, strength, sign), strict=True)]

    def _apply(self, images: Tensor, layer: Layer) -> None:
        """Change images, which are sorted by operation, in place."""
        counts = torch.bincount(layer.operation, minlength=NOTHING + 1).tolist()
        of_color, of_geometry = counts[: len(COLOR)], counts[len(COLOR) : NOTHING]
        colored, bent = sum(of_color), sum(of_geometry)
        arguments = moved(layer.argument[:colored].float(), images.device)
        parts = zip(torch.split(images[:colored], of_color), torch.split(arguments, of_color), strict=True)
        for (_, operation), (part, argument) in zip(COLOR.values(), parts, strict=True):
            if len(part):
                part.copy_(operation(part, argument))
        if bent:
            part, aspect = images[colored : colored + bent], images.shape[3] / images.shape[2]
            each = torch.split(layer.argument[colored : colored + bent], of_geometry)
            matrices = [matrix(argument, aspect) for (_, matrix), argument in zip(GEOMETRY.values(), each, strict=True)]
            part.copy_(geometry.transform(part, torch.cat(matrices), fill=self.fill))


def _arguments(operation: Tensor, strength: Tensor, sign: Tensor) -> Tensor:
    """What each operation takes at a strength in [0, 1] with a sign of -1 or 1; all of one shape."""
    start, end, is_signed, is_whole = torch.tensor(SPANS, dtype=torch.float64)[operation].unbind(-1)
    added = (end - start) * strength * torch.where(is_signed > 0, sign, 1)
    return start + torch.where(is_whole > 0, added.trunc(), added)
