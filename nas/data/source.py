"""Where labelled images come from, and the words users name that by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from nas.data.dataset import Progress
from nas.errors import DataError
from nas.registry import Registry

DECODING = 1
"""Raised when the same source gives other pixels or another split; part of every fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalog:
    """The images of a source, by name: what there is and which split it belongs to, nothing decoded.

    Attributes:
        classes: class names in the order of the labels.
        channels: 1 if every image is gray, else 3.
        names: one per image, unique, in the order train, validation, test.
        labels: int64, (N,), in the same order.
        counts: images in train, validation and test.
        fingerprint: 16 hex digits over content, names, split and seed.
    """

    classes: tuple[str, ...]
    channels: int
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    counts: tuple[int, int, int]
    fingerprint: str


class Source(ABC):
    """A place that labelled images come from."""

    flippable: ClassVar[bool]

    @classmethod
    @abstractmethod
    def parse(cls, argument: str) -> Self:
        """Read what follows the colon of a reference, '' if nothing does; raises DataError."""

    @property
    @abstractmethod
    def reference(self) -> str:
        """The reference that names this source in any process on this machine."""

    @abstractmethod
    def catalog(self, cache: Path, progress: Progress) -> Catalog:
        """List the images; raises DataError. `cache` may keep what is slow to find out again."""

    @abstractmethod
    def decode(self, catalog: Catalog, into: NDArray[np.uint8], progress: Progress) -> None:
        """Fill `into`, (N, C, R, R), with the images in the catalog's order, resized; raises DataError."""


datasets: Registry[type[Source]] = Registry("data set")


def open_source(reference: str) -> Source:
    """The source behind `NAME` or `NAME:ARGUMENT`.

    Raises:
        UnknownNameError: nothing is registered under NAME.
        DataError: the argument is missing, superfluous or wrong.
    """
    name, _, argument = reference.partition(":")
    if name not in datasets and Path(reference).expanduser().is_dir():
        raise DataError(f"{reference}: a folder of images is named with a prefix; write 'folder:{reference}'")
    return datasets[name].parse(argument)
