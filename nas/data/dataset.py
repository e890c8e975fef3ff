"""What training sees of a data set: three splits of uint8 images, and the few numbers that describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nas.data.streaming import StreamedImages
from nas.task import Task
from nas.units import plural

Progress = Callable[[int, int], None]
"""Called with (done, total), always from the thread that asked for the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was unusual among the images of a source.

    Attributes:
        skipped: images that cannot be used and were left out, as `corrupt=skip` asks.
        skipped_names: the first of them, each with the reason.
        converted: images of another kind than the rest, made RGB (or gray where all are): count by Pillow's mode.
        converted_names: the first of them.
        remarks: what else a user should know, in sentences.
    """

    skipped: int = 0
    skipped_names: tuple[str, ...] = ()
    converted: Mapping[str, int] = field(default_factory=dict)
    converted_names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def sentences(self) -> tuple[str, ...]:
        """All of it for people; nothing where nothing was unusual."""
        said = list(self.remarks)
        if self.skipped:
            said.append(f"{plural(self.skipped, 'image')} left out: {_first(self.skipped_names, self.skipped)}")
        if self.converted:
            kinds = ", ".join(f"{count:,} of mode {mode}" for mode, count in self.converted.items())
            total = sum(self.converted.values())
            said.append(f"{plural(total, 'image')} converted ({kinds}): {_first(self.converted_names, total)}")
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict; inverse of `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            skipped=data["skipped"],
            skipped_names=tuple(data["skipped_names"]),
            converted=data["converted"],
            converted_names=tuple(data["converted_names"]),
            remarks=tuple(data["remarks"]),
        )


def _first(names: tuple[str, ...], count: int) -> str:
    more = count - len(names)
    return "; ".join(names) + (f"; and {more:,} more" if more else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of a data set without decoding an image.

    Attributes:
        reference: canonical reference; a path in it is absolute, so that another process can read it.
        classes: class names in the order of the labels.
        channels: 1 if every image is gray, else 3.
        train, validation, test: images in each split.
        chance: accuracy, on the validation split, of whoever always names its most frequent class.
        flippable: whether a mirrored image still shows its class.
        fingerprint: identity of content, split and seed; independent of the resolution.
        findings: what was unusual among the images.
    """

    reference: str
    classes: tuple[str, ...]
    channels: int
    train: int
    validation: int
    test: int
    chance: float
    flippable: bool
    fingerprint: str
    findings: Findings = Findings()

    def task(self, resolution: int) -> Task:
        """What an architecture is priced and built for when it trains on this data at `resolution`."""
        return Task(resolution=resolution, classes=len(self.classes), channels=self.channels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """One part of a data set.

    Attributes:
        images: uint8, (N, C, H, W), C order; memory-mapped, not to be written to. Or, where that would not fit in the
            cache, what decodes them whenever they are read.
        labels: int64, (N,).
    """

    images: NDArray[np.uint8] | StreamedImages = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        """How many images."""
        return len(self.labels)

    @property
    def is_streamed(self) -> bool:
        """Whether images are decoded whenever they are read, instead of being mapped."""
        return isinstance(self.images, StreamedImages)

    def read(self, batches: Iterable[NDArray[np.intp]]) -> Iterator[NDArray[np.uint8]]:
        """The images of each batch of indices, in order: arrays of their own, uint8, (n, C, H, W).

        A streamed split takes a few batches more than it has given from `batches`, to have them ready.

        Raises:
            DataError: an image of a streamed split is damaged.
        """
        if isinstance(self.images, StreamedImages):
            return self.images.read(batches)
        mapped = np.asarray(self.images)
        return (mapped[indices] for indices in batches)


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
        mean, std: per channel, over the training split, of pixel values scaled to [0, 1]; std is never 0. Those of a
            streamed data set are of a fixed sample of its training images.
        flippable: whether a mirrored image still shows its class.
        fingerprint: identity of content, split and seed; independent of the resolution.
        findings: what was unusual among the images.
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
    findings: Findings = Findings()

    @property
    def task(self) -> Task:
        """What an architecture is priced and built for when it trains on this data."""
        return Task(resolution=self.resolution, classes=len(self.classes), channels=self.channels)
