"""CIFAR-10 and CIFAR-100 (Krizhevsky, 'Learning Multiple Layers of Features from Tiny Images', 2009).

Either layout is read, unpacked or as the downloaded archive; both give the same images in the same order and so the
same fingerprint. A tenth of train is held out for validation unless an option says otherwise.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from PIL import Image

from nas.data.cifar_files import PIXELS, Layout, Place, binary_layout, locate, pickled_layout
from nas.data.dataset import Progress
from nas.data.files import stamp_of
from nas.data.filesource import FileSource
from nas.data.images import picture
from nas.data.listing import Listing, ranges
from nas.data.parts import TEST, TRAIN
from nas.data.reference import one_of, option
from nas.data.source import Opener, datasets
from nas.data.survey import Survey


@dataclass(frozen=True)
class Cifar(FileSource):
    """What the two have in common."""

    batches: ClassVar[Mapping[str, tuple[str, ...]]]
    """Files of images of each part, without suffix."""

    @abstractmethod
    def layouts(self) -> tuple[Layout, ...]:
        """The forms that are read."""

    def stamp(self) -> str:
        """Over every file, or the archive."""
        return stamp_of(self._place().sources())

    def listing(self, cache: Path, progress: Progress) -> Listing:
        """Read and hash all images, which takes seconds."""
        classes, batches = self._place().read()
        labels = np.concatenate([batch.labels for batch in batches.values()])
        progress(0, len(labels))
        survey = Survey.of_arrays(batch.images for batch in batches.values()).labelled(labels)
        progress(len(labels), len(labels))
        return Listing(
            classes=classes,
            names=[f"{file}/{row}" for file, batch in batches.items() for row in range(len(batch.labels))],
            labels=labels,
            parts=ranges(
                {part: sum(len(batches[one].labels) for one in files) for part, files in self.batches.items()}
            ),
            survey=survey,
        )

    def opener(self) -> Opener:
        """A name is FILE/ROW. All images are in memory, 184 MB."""
        _, batches = self._place().read()

        def open_image(name: str) -> Image.Image:
            file, _, row = name.partition("/")
            return picture(batches[file].images[int(row)])

        return open_image

    def _place(self) -> Place:
        return locate(self.path, self.layouts())


@datasets.register("cifar10")
@dataclass(frozen=True)
class Cifar10(Cifar):
    """50,000 images of ten classes to train on, and 10,000 to test on."""

    kind: ClassVar[str] = "cifar10"
    holds: ClassVar[str] = "the folder cifar-10-batches-py or cifar-10-batches-bin, or one of the archives"
    batches: ClassVar[Mapping[str, tuple[str, ...]]] = {
        TRAIN: tuple(f"data_batch_{number}" for number in range(1, 6)),
        TEST: ("test_batch",),
    }

    @classmethod
    def example(cls, folder: Path) -> str:
        """The binary layout with ten images a file."""
        for number, file in enumerate(name for names in cls.batches.values() for name in names):
            (folder / f"{file}.bin").write_bytes(_records(number, labels=1))
        (folder / "batches.meta.txt").write_text("dark\nlight\n\n")
        return f"cifar10:{folder}"

    def layouts(self) -> tuple[Layout, ...]:
        """Ten classes."""
        files = [file for names in self.batches.values() for file in names]
        return (
            pickled_layout(
                folder="cifar-10-batches-py",
                archive="cifar-10-python.tar.gz",
                batches=files,
                names="batches.meta",
                label_key="labels",
                names_key="label_names",
            ),
            binary_layout(
                folder="cifar-10-batches-bin",
                archive="cifar-10-binary.tar.gz",
                batches=files,
                names="batches.meta.txt",
                label=0,
                labels=1,
            ),
        )


@datasets.register("cifar100")
@dataclass(frozen=True)
class Cifar100(Cifar):
    """The same numbers of images, of 100 classes in 20 groups.

    Attributes:
        label: 'fine' for the classes, 'coarse' for the groups.
    """

    kind: ClassVar[str] = "cifar100"
    holds: ClassVar[str] = "the folder cifar-100-python or cifar-100-binary, or one of the archives"
    batches: ClassVar[Mapping[str, tuple[str, ...]]] = {TRAIN: ("train",), TEST: ("test",)}

    label: Literal["fine", "coarse"] = option("fine", one_of("fine", "coarse"))

    @classmethod
    def example(cls, folder: Path) -> str:
        """The binary layout with ten images a file."""
        for number, file in enumerate(("train", "test")):
            (folder / f"{file}.bin").write_bytes(_records(number, labels=2))
        for kind in ("coarse", "fine"):
            (folder / f"{kind}_label_names.txt").write_text("dark\nlight\n")
        return f"cifar100:{folder}"

    def layouts(self) -> tuple[Layout, ...]:
        """Both labels are in every file, the coarse one first."""
        files = [file for names in self.batches.values() for file in names]
        return (
            pickled_layout(
                folder="cifar-100-python",
                archive="cifar-100-python.tar.gz",
                batches=files,
                names="meta",
                label_key=f"{self.label}_labels",
                names_key=f"{self.label}_label_names",
            ),
            binary_layout(
                folder="cifar-100-binary",
                archive="cifar-100-binary.tar.gz",
                batches=files,
                names=f"{self.label}_label_names.txt",
                label=("coarse", "fine").index(self.label),
                labels=2,
            ),
        )


def _records(number: int, *, labels: int) -> bytes:
    """Ten images of one gray each, alternately of class 0 and 1."""
    return b"".join(
        bytes([row % 2] * labels) + bytes([100 * (row % 2) + 10 * number + row] * PIXELS) for row in range(10)
    )
