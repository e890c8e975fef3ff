"""From a data set's uint8 arrays to the batches a network takes. No loader, no worker: indexing is all there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas.data.dataset import DataSet, Split
from nas.data.split import draw
from nas.train.augment import crop_and_flip
from nas.train.randomness import derive
from nas.train.recipe import Recipe

SUBSET_SEED = 0


class Batch(NamedTuple):
    """Images float32 (N, C, H, W), normalised, channels last; labels int64 (N,)."""

    images: Tensor
    labels: Tensor


class Normalise:
    """uint8 pixels to float32 of mean 0 and deviation 1 over the training split."""

    def __init__(self, data: DataSet, device: torch.device) -> None:
        std = torch.tensor(data.std, device=device).view(1, -1, 1, 1)
        mean = torch.tensor(data.mean, device=device).view(1, -1, 1, 1)
        self._scale, self._shift = 1 / (255 * std), -mean / std

    def __call__(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        scaled = images.float().mul_(self._scale).add_(self._shift)
        return scaled.contiguous(memory_format=torch.channels_last)


class TrainingBatches:
    """Every batch of a training, in order: each epoch a new permutation of the images the recipe uses.

    Iterating draws from the seed's stream, so do it once.
    """

    def __init__(self, data: DataSet, recipe: Recipe, *, seed: int, device: torch.device) -> None:
        # On the CPU these stay the mapped arrays; an accelerator gets the whole split once.
        self._images = torch.from_numpy(data.train.images).to(device)
        self._labels = torch.from_numpy(data.train.labels).to(device)
        self._used = torch.from_numpy(used_images(data, recipe.data_share))
        self._epochs = recipe.epochs
        self.batch = min(recipe.batch, len(self._used))
        self.per_epoch = len(self._used) // self.batch
        self._padding = round(recipe.crop_padding * data.resolution)
        self._flip = recipe.flip and data.flippable
        self._generator = torch.Generator().manual_seed(derive(seed, "order and augmentation"))
        self._normalise = Normalise(data, device)

    def __len__(self) -> int:
        return self.per_epoch * self._epochs

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(self._epochs):
            order = self._used[torch.randperm(len(self._used), generator=self._generator)]
            for chosen in torch.split(order.to(self._images.device), self.batch)[: self.per_epoch]:
                yield Batch(self._normalise(self._augment(self._images[chosen])), self._labels[chosen])

    def _augment(self, images: Tensor) -> Tensor:
        return crop_and_flip(images, padding=self._padding, flip=self._flip, generator=self._generator)


def plain_batches(data: DataSet, split: Split, *, batch: int, device: torch.device) -> Iterator[Batch]:
    """A split once, in order, as it is."""
    normalise = Normalise(data, device)
    images, labels = torch.from_numpy(split.images), torch.from_numpy(split.labels)
    for some, their in zip(torch.split(images, batch), torch.split(labels, batch), strict=True):
        yield Batch(normalise(some.to(device)), their.to(device))


def used_images(data: DataSet, share: float) -> NDArray[np.intp]:
    """Indices of the training images that a recipe uses: `share` of every class, the same ones for every seed."""
    if share == 1:
        return np.arange(len(data.train))
    names = [str(index) for index in range(len(data.train))]
    drawn, _ = draw(names, data.train.labels, share, seed=SUBSET_SEED)
    return drawn
