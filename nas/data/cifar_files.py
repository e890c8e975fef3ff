"""The files of CIFAR-10 and CIFAR-100, in both layouts they are published in.

Pickled ('python version'): dicts with `data`, uint8 (N, 3072), rows of red, green and blue planes, and lists of labels.
Binary ('suitable for C programs'): records of one byte a label and the same 3,072 bytes. Both are described at
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.cifar_archives import MOST_BYTES, archived_files, top_folder
from nas.data.files import read_file
from nas.data.pickled import read_pickled_dict
from nas.errors import DataError

SIDE = 32
PIXELS = 3 * SIDE**2

_SUFFIX = ".bin"


class Batch(NamedTuple):
    """The images of one file.

    Attributes:
        images: uint8, (N, 32, 32, 3).
        labels: int64, (N,).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """One form of one of the two, with one kind of label.

    Attributes:
        folder: its name as it comes out of the archive.
        archive: its name as it is downloaded.
        batches: files of images.
        names: file of class names.
        read_batch: reads a file of images.
        read_names: reads the class names.
    """

    folder: str
    archive: str
    batches: tuple[str, ...]
    names: str
    read_batch: Callable[[bytes], Batch]
    read_names: Callable[[bytes], tuple[str, ...]]

    @property
    def files(self) -> tuple[str, ...]:
        """All that is read."""
        return (*self.batches, self.names)


class Place(NamedTuple):
    """Where a layout was found: a folder, or an archive."""

    path: Path
    layout: Layout

    def sources(self) -> list[Path]:
        """The files that hold it."""
        return [self.path] if self.path.is_file() else [self.path / name for name in self.layout.files]

    def read(self) -> tuple[tuple[str, ...], dict[str, Batch]]:
        """The names of the classes, and the batches by their files without '.bin', in order.

        Raises:
            DataError: a file is missing or damaged.
        """
        classes: tuple[str, ...] = ()
        batches = {}
        for name, content in self._contents():
            try:
                if name == self.layout.names:
                    classes = self.layout.read_names(content)
                else:
                    batches[name] = self.layout.read_batch(content)
            except DataError as error:
                raise DataError(f"{self.path / name}: {error}") from error
            except MemoryError as error:
                raise DataError(f"{self.path / name}: takes more memory than there is") from error
        missing = set(self.layout.files) - set(batches) - ({self.layout.names} if classes else set())
        if missing:
            raise DataError(f"{self.path}: there is no {min(missing)} in it; download it again")
        for name, batch in batches.items():
            if not 0 <= batch.labels.min() <= batch.labels.max() < len(classes):
                raise DataError(f"{self.path / name}: has labels beyond the {len(classes)} classes")
        return classes, {name.removesuffix(_SUFFIX): batches[name] for name in self.layout.batches}

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        if self.path.is_file():
            yield from archived_files(self.path, self.layout.files)
        else:
            for name in self.layout.files:
                yield name, read_file(self.path / name, limit=MOST_BYTES)


def locate(path: Path, layouts: Sequence[Layout]) -> Place:
    """Find a layout: at the path, in a folder or archive of its usual name there, or in the archive that it is.

    Raises:
        DataError: there is none.
    """
    if path.is_file():
        folder = top_folder(path)
        found = [Place(path, layout) for layout in layouts if layout.folder == folder]
    else:
        places = [Place(place, layout) for layout in layouts for place in (path, path / layout.folder)]
        places += [Place(path / layout.archive, layout) for layout in layouts]
        found = [place for place in places if place.path.exists() and all(one.is_file() for one in place.sources())]
    if not found:
        names = " or ".join(f"{layout.folder}/ ({', '.join(layout.files)})" for layout in layouts)
        raise DataError(f"{path}: holds not all files of {names}, and is no archive of them")
    return found[0]


def pickled_layout(
    *, folder: str, archive: str, batches: Sequence[str], names: str, label_key: str, names_key: str
) -> Layout:
    """The pickled form: `label_key` of the labels in a batch, `names_key` of the class names in the file `names`."""

    def read_batch(content: bytes) -> Batch:
        found = read_pickled_dict(content)
        pixels, labels = found.get("data"), found.get(label_key)
        if not (isinstance(labels, list) and labels and all(isinstance(one, int) for one in labels)):
            raise DataError(f"holds no list of {label_key!r}")
        if not isinstance(pixels, np.ndarray) or pixels.shape != (len(labels), PIXELS):
            raise DataError(f"holds no 'data' of {PIXELS} bytes for each of {len(labels)} images")
        if max(labels) > np.iinfo(np.int64).max or min(labels) < 0:
            raise DataError("has labels below 0, or absurdly large ones")
        return _batch(pixels, np.array(labels, dtype=np.int64))

    def read_names(content: bytes) -> tuple[str, ...]:
        found = read_pickled_dict(content).get(names_key)
        if not isinstance(found, list):
            raise DataError(f"holds no list of {names_key!r}")
        return tuple(name.decode("latin1") if isinstance(name, bytes) else str(name) for name in found)

    return Layout(folder, archive, tuple(batches), names, read_batch, read_names)


def binary_layout(*, folder: str, archive: str, batches: Sequence[str], names: str, label: int, labels: int) -> Layout:
    """The binary form: records with `labels` labels, of which number `label` is wanted."""

    def read_batch(content: bytes) -> Batch:
        if not content or len(content) % (labels + PIXELS):
            raise DataError("is no whole number of images; it was cut short, or is of the other CIFAR")
        records = np.frombuffer(content, dtype=np.uint8).reshape(-1, labels + PIXELS)
        return _batch(records[:, labels:], records[:, label].astype(np.int64))

    def read_names(content: bytes) -> tuple[str, ...]:
        return tuple(content.decode("latin1").split())

    return Layout(folder, archive, tuple(f"{name}{_SUFFIX}" for name in batches), names, read_batch, read_names)


def _batch(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> Batch:
    return Batch(pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1), labels)
