"""What a network sees of a batch of images in training: the recipe's augmentation, in the order of the papers' code."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

from nas.data.dataset import DataSet
from nas.train import augment
from nas.train.augment import Mixed, mix, mixed_cross_entropy, random_erasing, random_resized_crop
from nas.train.recipe import Recipe
from nas.train.resize import central_crop, resize


class TrainingView:
    """Augmentation by a recipe: crop and flip, RandAugment, normalisation, Random Erasing, Mixup or CutMix."""

    def __init__(self, data: DataSet, recipe: Recipe) -> None:
        """Of images of `data`; what RandAugment shifts in has their mean."""
        self._recipe = recipe
        self._flip = recipe.flip and data.flippable
        fill = tuple(round(255 * level) for level in data.mean)
        wanted = recipe.rand_augment
        self._rand_augment = None if wanted is None else augment.RandAugment(**wanted.model_dump(), fill=fill)

    def __call__(
        self, images: Tensor, labels: Tensor, *, side: int, normalise: Callable[[Tensor], Tensor], generator: Generator
    ) -> Mixed:
        """Augment a batch.

        Args:
            images: uint8, (N, C, S, S), at the stored resolution, in random order.
            labels: int64, (N,).
            side: of the result, in pixels.
            normalise: from uint8 to float32.
            generator: on the CPU; a draw for every image.

        Returns:
            Images float32, (N, C, side, side), and the two labels of each.
        """
        recipe = self._recipe
        images = self._cropped(images, side, generator)
        if self._rand_augment is not None:
            images = self._rand_augment(images, generator=generator)
        images = normalise(images)
        if recipe.random_erasing:
            images = random_erasing(images, probability=recipe.random_erasing, generator=generator)
        if not (recipe.mixup or recipe.cutmix):
            return _unmixed(images, labels)
        return mix(
            images,
            labels,
            mixup=recipe.mixup,
            cutmix=recipe.cutmix,
            probability=recipe.mix_probability,
            generator=generator,
        )

    def _cropped(self, images: Tensor, side: int, generator: Generator) -> Tensor:
        crop = self._recipe.resized_crop
        if crop is not None:
            return random_resized_crop(
                images, size=side, scale=crop.scale, ratio=crop.ratio, flip=self._flip, generator=generator
            )
        full = resize(images, round(side / self._recipe.crop_share))
        padding = round(self._recipe.crop_padding * side)
        if padding or self._flip:
            full = augment.crop_and_flip(full, padding=padding, flip=self._flip, generator=generator)
        return central_crop(full, side)


def loss_of(logits: Tensor, view: Mixed, recipe: Recipe) -> Tensor:
    """Mean cross-entropy of a batch by the recipe, a float32 scalar."""
    if recipe.mixup or recipe.cutmix:
        return mixed_cross_entropy(logits, view, smoothing=recipe.label_smoothing)
    return functional.cross_entropy(logits, view.labels, label_smoothing=recipe.label_smoothing)


def _unmixed(images: Tensor, labels: Tensor) -> Mixed:
    return Mixed(images, labels, labels, torch.ones_like(labels, dtype=torch.float32))
