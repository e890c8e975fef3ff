"""Images and labels as arrays of one NumPy archive: `npz:FILE`.

Which array is which is told by the words of its name, in any order and case, joined by '_', '-', '.' or a capital:

* images: `x`, `image(s)`, `data`, `input(s)`; labels: `y`, `label(s)`, `target(s)`;
* the part: `train`, `val`, `valid` or `validation`, `test`; without one the images are undivided, and are split;
* names of the classes, if any: `classes`, `class_names` or `label_names`.

So `x_train`, `y_train` (Keras), `train_images`, `train_labels` (MedMNIST), `images`, `labels` and `X`, `y` are read.
Images are uint8 of shape (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3 (where both could be meant, channels
come last); labels are whole numbers from 0 on, of shape (N,) or (N, 1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.arrays import picture, survey_of
from nas.data.dataset import Progress
from nas.data.division import TEST, TRAIN, UNDIVIDED, VALIDATION
from nas.data.filesource import FileSource, stamp_of
from nas.data.listing import Listing, ranges
from nas.data.npz_files import array_names, map_array, require_whole
from nas.data.source import Opener, datasets
from nas.errors import DataError

IMAGES, LABELS, CLASSES = "images", "labels", "classes"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PARTS = {"train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}
_ROLES = {
    **dict.fromkeys(["x", "image", "images", "data", "input", "inputs"], IMAGES),
    **dict.fromkeys(["y", "label", "labels", "target", "targets"], LABELS),
    **dict.fromkeys(["classes", "class names", "label names"], CLASSES),
}
_EXAMPLES = "'x_train', 'y_train', 'x_test', 'y_test', or 'images', 'labels'"


class Part(NamedTuple):
    """Arrays of one part.

    Attributes:
        images: uint8, (N, H, W, C).
        labels: int64, (N,).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@datasets.register("npz")
@dataclass(frozen=True)
class Npz(FileSource):
    """A NumPy archive, compressed or not; nothing in it is unpickled."""

    kind: ClassVar[str] = "npz"
    holds: ClassVar[str] = "an .npz file"

    @classmethod
    def example(cls, folder: Path) -> str:
        """Two classes of gray squares, undivided."""
        shades = np.arange(20, dtype=np.uint8)
        images = np.tile((shades + 100 * (shades % 2))[:, None, None, None], (1, 6, 8, 3))
        np.savez(folder / "squares.npz", images=images, labels=shades % 2)
        return f"npz:{folder / 'squares.npz'}"

    def stamp(self) -> str:
        """Over the file."""
        return stamp_of([self.path])

    def listing(self, cache: Path, progress: Progress) -> Listing:
        """Check and hash all arrays."""
        require_whole(self.path)
        found = self._found()
        parts = {name: self._part(arrays) for name, arrays in found.parts.items()}
        labels = np.concatenate([part.labels for part in parts.values()])
        progress(0, len(labels))
        survey = survey_of(part.images for part in parts.values()).labelled(labels)
        progress(len(labels), len(labels))
        return Listing(
            classes=self._classes(found.classes, int(labels.max()) + 1),
            names=[f"{name}/{row}" for name, part in parts.items() for row in range(len(part.labels))],
            labels=labels,
            parts=ranges({name: len(part.labels) for name, part in parts.items()}),
            survey=survey,
        )

    def opener(self) -> Opener:
        """A name is PART/ROW."""
        images = {part: self._images(arrays[IMAGES]) for part, arrays in self._found().parts.items()}

        def open_image(name: str) -> Image.Image:
            part, _, row = name.partition("/")
            return picture(images[part][int(row)])

        return open_image

    def _found(self) -> Found:
        """Which arrays there are."""
        names = array_names(self.path)
        try:
            found = sort_out(names)
        except DataError as error:
            raise DataError(
                f"{self.path}: {error}; found {', '.join(names) or 'none'}, expected {_EXAMPLES}"
            ) from error
        return found

    def _part(self, arrays: Mapping[str, str]) -> Part:
        images, labels = self._images(arrays[IMAGES]), map_array(self.path, arrays[LABELS])
        if labels.shape not in ((len(images),), (len(images), 1)) or labels.dtype.kind not in "iu":
            raise DataError(
                f"{self.path}: {arrays[LABELS]} is {labels.dtype} of shape {labels.shape}; labels are one whole number "
                f"for each of the {len(images)} images of {arrays[IMAGES]}"
            )
        if len(labels) == 0 or labels.min() < 0:
            raise DataError(f"{self.path}: {arrays[LABELS]} is empty or has labels below 0")
        return Part(images, labels.reshape(-1).astype(np.int64))

    def _images(self, name: str) -> NDArray[np.uint8]:
        """(N, H, W, C)."""
        array = map_array(self.path, name)
        if array.dtype != np.uint8:
            raise DataError(f"{self.path}: {name} is {array.dtype}; save pixels as uint8, 0 to 255")
        if array.ndim == 3:
            return array[..., None]
        if array.ndim == 4 and array.shape[3] in (1, 3):
            return array
        if array.ndim == 4 and array.shape[1] in (1, 3):
            return array.transpose(0, 2, 3, 1)
        raise DataError(
            f"{self.path}: {name} has shape {array.shape}; images are (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 "
            "or 3 channels"
        )

    def _classes(self, name: str | None, count: int) -> tuple[str, ...]:
        if name is None:
            return tuple(map(str, range(count)))
        classes = map_array(self.path, name)
        if classes.ndim != 1 or classes.dtype.kind not in "US" or len(classes) < count:
            raise DataError(f"{self.path}: {name} must be text, a name for each of the {count} classes")
        return tuple(np.char.decode(classes, "utf-8").tolist() if classes.dtype.kind == "S" else classes.tolist())


class Found(NamedTuple):
    """The arrays of an archive by what they are for.

    Attributes:
        parts: by part, the names of its arrays by their role.
        classes: name of the array of class names, if any.
    """

    parts: Mapping[str, Mapping[str, str]]
    classes: str | None


def sort_out(names: Sequence[str]) -> Found:
    """Tell from their names which arrays are images, labels and class names, and of which part.

    Raises:
        DataError: no images, images without labels, or two arrays for the same thing.
    """
    parts: dict[str, dict[str, str]] = {}
    classes = None
    for name in names:
        words = [word.lower() for word in _WORD.findall(name)]
        part = next((_PARTS[word] for word in words if word in _PARTS), UNDIVIDED)
        role = _ROLES.get(" ".join(word for word in words if word not in _PARTS))
        if role == CLASSES:
            classes = name
        elif role is not None and role in parts.setdefault(part, {}):
            raise DataError(f"{parts[part][role]} and {name} are both {role} of {part}")
        elif role is not None:
            parts[part][role] = name
    lacking = [part for part, arrays in parts.items() if set(arrays) != {IMAGES, LABELS}]
    if lacking or not parts:
        raise DataError(f"there are no images and labels of {lacking[0]}" if lacking else "there are no images")
    if UNDIVIDED in parts and len(parts) > 1:
        raise DataError("some images are of a part and some of none")
    return Found(parts, classes)
