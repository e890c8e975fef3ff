"""What a network sees of a batch of images in training: the recipe's augmentation, in the order of the papers' code."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

from torch import Generator, Tensor
from torch.nn import functional

from nas.data.dataset import DataSet
from nas.train.augment import crop_and_flip
from nas.train.recipe import Recipe
from nas.train.resize import central_crop, resize


class View(NamedTuple):
    """Augmented images of one batch and what they are to be taken for.

    Attributes:
        images: float32, (N, C, H, W), normalised, channels last.
        labels: int64, (N,).
    """

    images: Tensor
    labels: Tensor

    def part(self, start: int, end: int) -> Self:
        """Some of the images."""
        return type(self)(*(tensor[start:end] for tensor in self))


class TrainingView:
    """Augmentation by a recipe."""

    def __init__(self, data: DataSet, recipe: Recipe) -> None:
        """Of images of `data`."""
        self._recipe = recipe
        self._flip = recipe.flip and data.flippable

    def __call__(
        self, images: Tensor, labels: Tensor, *, side: int, normalise: Callable[[Tensor], Tensor], generator: Generator
    ) -> View:
        """Augment a batch.

        Args:
            images: uint8, (N, C, S, S), at the stored resolution.
            labels: int64, (N,).
            side: of the result, in pixels.
            normalise: from uint8 to float32.
            generator: on the CPU; a draw for every image.
        """
        return View(normalise(self._cropped(images, side, generator)), labels)

    def _cropped(self, images: Tensor, side: int, generator: Generator) -> Tensor:
        full = resize(images, round(side / self._recipe.crop_share))
        padding = round(self._recipe.crop_padding * side)
        if padding or self._flip:
            full = crop_and_flip(full, padding=padding, flip=self._flip, generator=generator)
        return central_crop(full, side)


def loss_of(logits: Tensor, view: View, smoothing: float) -> Tensor:
    """Mean cross-entropy of a view, a float32 scalar."""
    return functional.cross_entropy(logits, view.labels, label_smoothing=smoothing)
