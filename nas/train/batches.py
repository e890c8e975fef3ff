"""From a data set's uint8 images to the batches a network takes.

Where the images are in memory (mapped from the cache on a CPU, copied once to an accelerator that has the room), a
batch is an index and nothing is loaded. Otherwise a thread reads ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas.data.dataset import DataSet, Split
from nas.errors import UserError
from nas.train.augment import Mixed
from nas.train.augment.draws import moved
from nas.train.plan import Epoch, Plan
from nas.train.randomness import stream
from nas.train.resize import central_crop, resize
from nas.train.subset import used_images
from nas.train.views import TrainingView

T = TypeVar("T")

_RESIDENT_SHARE = 0.4  # of an accelerator's free memory that the training images may take
_AHEAD = 3  # batches that are read before they are asked for


class Batch(NamedTuple):
    """Images float32 (N, C, H, W), normalised; labels int64 (N,)."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of every batch that one of several processes trains on."""

    rank: int = 0
    world: int = 1

    def of(self, indices: NDArray[np.intp]) -> NDArray[np.intp]:
        """Every `world`-th image of a batch that all processes share evenly."""
        return indices[self.rank :: self.world]

    def require_even(self, plan: Plan) -> None:
        """Every image of a batch counts, and counts as much as any other, only where all parts are of one size.

        Raises:
            UserError: the batches of an epoch do not divide by the number of processes.
        """
        for batch in {epoch.batch: None for epoch in plan.epochs}:
            if batch % self.world:
                limited = "" if batch == plan.recipe.batch else ", which is as many images as the recipe uses,"
                raise UserError(
                    f"a batch of {batch}{limited} cannot be shared evenly by {self.world} processes; start a number "
                    f"that divides it (torchrun --nproc-per-node), or choose a batch that is a multiple of {self.world}"
                )


WHOLE = Shard()


class Normalise:
    """uint8 pixels to float32 of mean 0 and deviation 1 over the training split."""

    def __init__(self, data: DataSet, device: torch.device) -> None:
        std = torch.tensor(data.std, device=device).view(1, -1, 1, 1)
        mean = torch.tensor(data.mean, device=device).view(1, -1, 1, 1)
        self._scale, self._shift = 1 / (255 * std), -mean / std

    def __call__(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return images.float().mul_(self._scale).add_(self._shift)


class TrainingBatches:
    """Any step's batch, by its number: each epoch is a new permutation of the images its rung uses."""

    def __init__(self, data: DataSet, plan: Plan, *, seed: int, device: torch.device, shard: Shard = WHOLE) -> None:
        """Bring the training images to `device` if they fit there.

        Args:
            data: at the recipe's stored resolution.
            plan: which step belongs to which epoch.
            seed: of order and augmentation.
            device: where batches are wanted.
            shard: the part of each batch that is wanted.

        Raises:
            UserError: the batches cannot be shared evenly.
        """
        shard.require_even(plan)
        self._data, self._plan, self._seed, self._device, self._shard = data, plan, seed, device, shard
        self._view = TrainingView(data, plan.recipe)
        self._normalise = Normalise(data, device)
        self._labels = torch.from_numpy(data.train.labels).to(device)
        self._images = _resident(data.train, device)

    def between(self, first: int, end: int) -> Iterator[Mixed]:
        """The batches of steps `first` to `end - 1`."""
        steps = range(first, end)
        resident = self._images
        read: Iterator[Tensor] = _ahead(self._read(steps)) if resident is None else iter(())
        for step, chosen in zip(steps, self._indices(steps), strict=True):
            there = moved(torch.from_numpy(chosen), self._device)
            # On a CPU index_select is twenty times as fast as an index in brackets.
            images = next(read) if resident is None else resident.index_select(0, there)
            yield self._finish(step, images, self._labels.index_select(0, there))

    def _finish(self, step: int, images: Tensor, labels: Tensor) -> Mixed:
        generator = stream(self._seed, f"augmentation {step} {self._shard.rank}")
        side = self._plan.epoch_of(step).resolution
        seen = self._view(images, labels, side=side, normalise=self._normalise, generator=generator)
        layout = torch.channels_last if self._plan.recipe.channels_last else torch.contiguous_format
        return seen._replace(images=seen.images.contiguous(memory_format=layout))

    def _indices(self, steps: Iterable[int]) -> Iterator[NDArray[np.intp]]:
        """The images of each step, in order."""
        epoch: Epoch | None = None
        order = np.empty(0, dtype=np.intp)
        for step in steps:
            if epoch is None or step >= epoch.first_step + epoch.steps:
                epoch = self._plan.epoch_of(step)
                order = self._order(epoch)
            start = (step - epoch.first_step) * epoch.batch
            yield self._shard.of(order[start : start + epoch.batch])

    def _order(self, epoch: Epoch) -> NDArray[np.intp]:
        used = used_images(self._data, epoch.data_share)
        drawn: NDArray[np.intp] = torch.randperm(
            len(used), generator=stream(self._seed, f"order {epoch.number}")
        ).numpy()
        return used[drawn]

    def _read(self, steps: Iterable[int]) -> Iterator[Tensor]:
        for images in self._data.train.read(self._indices(steps)):
            yield _to_device(images, self._device)


def plain_batches(
    data: DataSet, split: Split, *, batch: int, side: int, crop_share: float, device: torch.device
) -> Iterator[Batch]:
    """A split once, in order, as it is: the central crop of `side` pixels after resizing to `side / crop_share`."""
    normalise = Normalise(data, device)
    indices = [np.arange(start, min(start + batch, len(split))) for start in range(0, len(split), batch)]
    for chosen, images in zip(indices, split.read(indices), strict=True):
        there = resize(_to_device(images, device), round(side / crop_share))
        labels = torch.from_numpy(split.labels[chosen]).to(device)
        yield Batch(normalise(central_crop(there, side)), labels)


def _resident(split: Split, device: torch.device) -> Tensor | None:
    """All images as one tensor on `device`; None if they are streamed or there is not the room."""
    if split.is_streamed:
        return None
    images = torch.from_numpy(split.images)
    if device.type == "cpu":
        return images  # still the mapped file
    if device.type == "cuda" and images.nbytes > _RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
        return None
    return images.to(device)


def _to_device(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    tensor = torch.from_numpy(images)
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, some of them taken from the iterator by a thread before they are asked for."""
    end = object()
    pool = ThreadPoolExecutor(1, thread_name_prefix="read ahead")
    try:
        waiting: deque[Future[object]] = deque(pool.submit(next, items, end) for _ in range(_AHEAD))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, items, end))
            yield item  # type: ignore[misc]  # `end` is the only item of another type
    finally:
        pool.shutdown(cancel_futures=True)  # what nobody asks for any more is not waited for
