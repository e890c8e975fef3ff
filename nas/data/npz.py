"""Images and labels as arrays of one NumPy archive: `npz:FILE`.

Which array is which is told by the words of its name, in any order and case, joined by '_', '-', '.' or a capital:

* images: `x`, `image(s)`, `data`, `input(s)`; labels: `y`, `label(s)`, `target(s)`;
* the part, by the words of `nas.data.parts`; without one the images are undivided, and are split;
* names of the classes, if any: `classes`, `class_names` or `label_names`.

So `x_train`, `y_train` (Keras), `train_images`, `train_labels` (MedMNIST), `images`, `labels` and `X`, `y` are read.
Images are uint8 of shape (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3 (where both could be meant, channels
come last); labels are whole numbers, truth values or text, of shape (N,) or (N, 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.dataset import Progress
from nas.data.files import first_few, stamp_of
from nas.data.filesource import FileSource
from nas.data.images import picture
from nas.data.labels import Labels, is_withheld, numbered
from nas.data.listing import Listing, ranges
from nas.data.npz_files import array_names, map_array, require_whole
from nas.data.parts import EXTRA, PART_WORDS, TEST, TRAIN, UNDIVIDED, VALIDATION, left_extra, part_of, words_of
from nas.data.reference import one_of, option
from nas.data.source import Opener, datasets
from nas.data.survey import Survey
from nas.errors import DataError

IMAGES, LABELS, CLASSES = "images", "labels", "classes"

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
        labels: (N,).
    """

    images: NDArray[np.uint8]
    labels: Labels


@datasets.register("npz")
@dataclass(frozen=True)
class Npz(FileSource):
    """A NumPy archive, compressed or not; nothing in it is unpickled.

    Attributes:
        extra: 'leave' out a part called extra, or 'train' on it, too.
        unknown: 'fail' or 'skip' where arrays seem to be images or labels, and it is not understood of what.
    """

    kind: ClassVar[str] = "npz"
    holds: ClassVar[str] = "an .npz file"

    extra: Literal["leave", "train"] = option("leave", one_of("leave", "train"))
    unknown: Literal["fail", "skip"] = option("fail", one_of("fail", "skip"))

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
        given, remarks = self._labelled(found)
        parts, left = left_extra(given, lambda part: len(part.images), self.extra)
        labels = numbered(self.path, [part.labels for part in parts.values()])
        progress(0, len(labels.labels))
        survey = Survey.of_arrays(part.images for part in parts.values()).labelled(labels.labels)
        progress(len(labels.labels), len(labels.labels))
        return Listing(
            classes=labels.classes,
            names=[f"{name}/{row}" for name, part in parts.items() for row in range(len(part.images))],
            labels=labels.labels,
            parts=ranges({name: len(part.images) for name, part in parts.items()}),
            survey=survey,
            remarks=(*remarks, *left, *labels.remarks),
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
                f"{self.path}: {error}; found {first_few(names, 20) or 'none'}, expected {_EXAMPLES}"
            ) from error
        unclear = [name for name in found.others if set(words_of(name)) & set(_ROLES)]
        if unclear and self.unknown == "fail":
            raise DataError(
                f"{self.path}: {first_few(unclear)} seem to be images or labels, and it is not clear of what; rename "
                "them, or have arrays that are not understood left out with the option '?unknown=skip'"
            )
        return found

    def _labelled(self, found: Found) -> tuple[dict[str, Part], list[str]]:
        """The parts that have labels, and what to say about everything else."""
        names = self._class_names(found.classes) if found.classes else None
        order = [part for part in (TRAIN, VALIDATION, TEST, EXTRA, UNDIVIDED) if part in found.parts]
        remarks = [f"arrays that are not used: {first_few(found.others)}"] if found.others else []
        parts = {}
        for name in order:
            part = self._part(found.parts[name], names)
            if is_withheld(part.labels.numbers):
                remarks.append(f"the labels of {name} are withheld, so it is left out")
            else:
                parts[name] = part
        return parts, remarks

    def _part(self, arrays: Mapping[str, str], names: tuple[str, ...] | None) -> Part:
        images, labels = self._images(arrays[IMAGES]), map_array(self.path, arrays[LABELS])
        if labels.shape not in ((len(images),), (len(images), 1)) or labels.dtype.kind not in "iubUS":
            raise DataError(
                f"{self.path}: {arrays[LABELS]} is {labels.dtype} of shape {labels.shape}; labels are one whole number "
                f"for each of the {len(images)} images of {arrays[IMAGES]}, or one text"
            )
        if len(labels) == 0:
            raise DataError(f"{self.path}: {arrays[LABELS]} is empty")
        origin, flat = f"{self.path}: {arrays[LABELS]}", labels.reshape(-1)
        if flat.dtype.kind == "b":
            return Part(images, Labels.of_text(origin, [str(one).lower() for one in flat.tolist()]))
        if flat.dtype.kind in "US":
            return Part(images, Labels.of_text(origin, self._texts(arrays[LABELS], flat)))
        return Part(images, Labels(origin=origin, numbers=flat, names=names))

    def _texts(self, name: str, array: NDArray[Any]) -> list[str]:
        try:
            texts: list[str] = (np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array).tolist()
            "".join(texts).encode()  # NumPy reads any four bytes as a character
        except ValueError as error:
            raise DataError(f"{self.path}: {name} holds text that is not UTF-8 ({error}); save it as text") from error
        return texts

    def _images(self, name: str) -> NDArray[np.uint8]:
        """(N, H, W, C)."""
        array = map_array(self.path, name)
        if array.dtype != np.uint8:
            raise DataError(f"{self.path}: {name} is {array.dtype}; save pixels as uint8, 0 to 255")
        if 0 in array.shape[1:]:
            raise DataError(f"{self.path}: {name} has shape {array.shape}: its images have no pixels")
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

    def _class_names(self, name: str) -> tuple[str, ...]:
        classes = map_array(self.path, name)
        if classes.ndim != 1 or classes.dtype.kind not in "US":
            raise DataError(
                f"{self.path}: {name} is {classes.dtype} of shape {classes.shape}; class names are a row of text"
            )
        return tuple(self._texts(name, classes))


class Found(NamedTuple):
    """The arrays of an archive by what they are for.

    Attributes:
        parts: by part, the names of its arrays by their role.
        classes: name of the array of class names, if any.
        others: names of all other arrays.
    """

    parts: Mapping[str, Mapping[str, str]]
    classes: str | None
    others: Sequence[str]


def sort_out(names: Sequence[str]) -> Found:
    """Tell from their names which arrays are images, labels and class names, and of which part.

    Raises:
        DataError: no images, images without labels, two arrays for the same thing, or one of two parts.
    """
    parts: dict[str, dict[str, str]] = {}
    classes, others = None, []
    for name in names:
        role = _ROLES.get(" ".join(word for word in words_of(name) if word not in PART_WORDS))
        part = UNDIVIDED if role is None else part_of(name) or UNDIVIDED
        if role == CLASSES:
            classes = name
        elif role is not None and role in parts.setdefault(part, {}):
            raise DataError(f"{parts[part][role]} and {name} are both {role} of {part}")
        elif role is not None:
            parts[part][role] = name
        else:
            others.append(name)
    lacking = [part for part, arrays in parts.items() if set(arrays) != {IMAGES, LABELS}]
    if lacking or not parts:
        raise DataError(f"there are no images and labels of {lacking[0]}" if lacking else "there are no images")
    if UNDIVIDED in parts and len(parts) > 1:
        raise DataError("some images are of a part and some of none")
    return Found(parts, classes, others)
