"""What training sees of a data set: three splits of uint8 images, and the few numbers that describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nas.task import Task

Progress = Callable[[int, int], None]
"""Called with (done, total), always from the thread that asked for the work."""

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of a data set without decoding an image.

    Attributes:
        reference: canonical reference; a path in it is absolute, so that another process can read it.
        classes: class names in the order of the labels.
        channels: 1 if every image is gray, else 3.
        train, validation, test: images in each split.
        flippable: whether a mirrored image still shows its class.
        fingerprint: identity of content, split and seed; independent of the resolution.
    """

    reference: str
    classes: tuple[str, ...]
    channels: int
    train: int
    validation: int
    test: int
    flippable: bool
    fingerprint: str

    def task(self, resolution: int) -> Task:
        """What an architecture is priced and built for when it trains on this data at `resolution`."""
        return Task(resolution=resolution, classes=len(self.classes), channels=self.channels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """One part of a data set.

    Attributes:
        images: uint8, (N, C, H, W), C order; memory-mapped, not to be written to.
        labels: int64, (N,).
    """

    images: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        """How many images."""
        return len(self.labels)

    @property
    def is_streamed(self) -> bool:
        """Whether images are decoded whenever they are read, instead of being mapped."""
        return False

    def read(self, batches: Iterable[NDArray[np.intp]]) -> Iterator[NDArray[np.uint8]]:
        """The images of each batch of indices, in order."""
        for indices in batches:
            yield self.images[indices]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataSet:
    """A data set at one resolution.

    Attributes:
        train: what weights learn from.
        validation: what candidates are compared on.
        test: what no search looks at.
        classes: class names in the order of the labels.
        channels: of every image, 1 or 3.
        resolution: side of every image in pixels.
        mean, std: per channel, over the training split, of pixel values scaled to [0, 1]; std is never 0.
        flippable: whether a mirrored image still shows its class.
        fingerprint: identity of content, split and seed; independent of the resolution.
    """

    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    channels: int
    resolution: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    flippable: bool
    fingerprint: str

    @property
    def task(self) -> Task:
        """What an architecture is priced and built for when it trains on this data."""
        return Task(resolution=self.resolution, classes=len(self.classes), channels=self.channels)
