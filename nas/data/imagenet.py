"""ImageNet-1k (ILSVRC 2012, arXiv:1409.0575): `imagenet:PATH`.

PATH holds `train/` with a folder for each WordNet id and `val/` with either the same folders or all 50,000 images flat,
or it is the folder around `ILSVRC/Data/CLS-LOC` as on Kaggle. What flat images show is read from `LOC_val_solution.csv`
(Kaggle) or from the development kit `ILSVRC2012_devkit_t12` (image-net.org), in PATH or up to three folders above.

The published validation images are the test split, as nobody has the labels of the published test images. For
validation 4% of the training images are held out, about as many as the published validation has; `?validation=` states
another share.

Its files are published and 150 GB, so each is identified by its size and its first 4 KiB, and the folders, not the
files, are asked whether anything has changed.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np
from PIL import Image

from nas.data.classfolders import ClassFolders, Members
from nas.data.dataset import Progress
from nas.data.files import listed, open_regular, read_file, stamp_of
from nas.data.filesource import EncodedSource
from nas.data.images import decoded, unreadable
from nas.data.listing import Listing, ranges
from nas.data.parts import TEST, TRAIN
from nas.data.source import datasets
from nas.data.survey import DIGEST_BYTES, Look, kind_of
from nas.errors import DataError

_HEAD_BYTES = 4096
_INSIDE = ("", "ILSVRC/Data/CLS-LOC", "Data/CLS-LOC", "CLS-LOC")
_ABOVE = 3
_SOLUTION = "LOC_val_solution.csv"
_DEVKIT = "ILSVRC2012_devkit_t12/data"
_NUMBER = re.compile(r"_(\d{8})\.")


@datasets.register("imagenet")
@dataclass(frozen=True)
class ImageNet(EncodedSource):
    """ImageNet-1k, or some classes of it."""

    kind: ClassVar[str] = "imagenet"
    holds: ClassVar[str] = "the folder that holds train/ and val/, or the one that holds ILSVRC/"
    held_out: ClassVar[float] = 0.04

    @classmethod
    def example(cls, folder: Path) -> str:
        """Two classes of gray squares, with val/ flat."""
        wnids = ("n01440764", "n01443537")
        solution = ["ImageId,PredictionString"]
        (folder / "val").mkdir()
        for label, wnid in enumerate(wnids):
            (folder / "train" / wnid).mkdir(parents=True)
            for index in range(10):
                square = Image.new("RGB", (8, 6), (100 * label + index,) * 3)
                square.save(folder / "train" / wnid / f"{wnid}_{index}.JPEG")
                square.save(folder / "val" / f"ILSVRC2012_val_{10 * label + index + 1:08}.JPEG")
                solution.append(f"ILSVRC2012_val_{10 * label + index + 1:08},{wnid} 0 0 8 6")
        (folder / _SOLUTION).write_text("\n".join(solution))
        return f"imagenet:{folder}"

    def stamp(self) -> str:
        """Over the folders, and what says what flat images show."""
        root = self._root()
        folders = [root / part / name for part in ("train", "val") for name in ("", *listed(root / part).folders)]
        truth = _ground_truth(root)
        return stamp_of([*folders, *([truth] if truth else [])])

    def listing(self, cache: Path, progress: Progress) -> Listing:
        """List the files, and look at each the first time."""
        root = self._root()
        reader = ClassFolders(root=root, nested=False, skip_unknown=True)
        inside, held = reader.look("train"), reader.look("val")
        classes = reader.classes("train", inside.folders)
        train = reader.members("train", inside, classes, every=True)
        test = reader.members("val", held, classes, every=False) if held.folders else _flat(root, held.files, classes)
        names, labels = train.names + test.names, np.concatenate([train.labels, test.labels])
        survey = self.survey(cache, names, progress)
        return Listing(
            classes=classes,
            names=names,
            labels=labels,
            parts=ranges({TRAIN: len(train.names), TEST: len(test.names)}),
            survey=survey.labelled(labels),
            remarks=reader.left_out.remarks(),
        )

    def encoded(self) -> Callable[[str], bytes]:
        """A name is a path from the folder that holds train/ and val/."""
        root = self._root()
        return lambda name: read_file(f"{root}/{name}")

    def look(self) -> Callable[[str], Look]:
        """Size, beginning and header; all of the pixels only where damaged images are to be skipped."""
        root, decode = self._root(), self._skips()

        def look(name: str) -> Look:
            path = f"{root}/{name}"
            try:
                with open_regular(path) as file:
                    identity = f"{os.fstat(file.fileno()).st_size} ".encode() + file.read(_HEAD_BYTES)
                    return kind_of(name, lambda _: from_start(file), sha256(identity).digest(), decode=decode)
            except (DataError, OSError) as error:
                return Look(bytes(DIGEST_BYTES), "", unreadable(error))

        def from_start(file: BinaryIO) -> Image.Image:
            file.seek(0)
            return decoded(file)

        return look

    def _root(self) -> Path:
        """The folder that holds train/ and val/."""
        for inside in _INSIDE:
            root = self.path / inside
            if (root / "train").is_dir() and (root / "val").is_dir():
                return root
        raise DataError(f"{self.path}: holds no train/ and val/, nor ILSVRC/Data/CLS-LOC/ with them")


def _ground_truth(root: Path) -> Path | None:
    """The file that says what flat images show, if there is one."""
    for folder in (root, *list(root.parents)[:_ABOVE]):
        for name in (_SOLUTION, f"{_DEVKIT}/ILSVRC2012_validation_ground_truth.txt"):
            if (folder / name).is_file():
                return folder / name
    return None


def _flat(root: Path, files: list[str], classes: tuple[str, ...]) -> Members:
    """The images right in val/, by name."""
    truth = _ground_truth(root)
    if truth is None or not files:
        raise DataError(
            f"{root / 'val'}: holds no class folders; add {_SOLUTION} or {_DEVKIT.partition('/')[0]}/ beside it, which "
            "say what its images show, or move the images into folders by WordNet id"
        )
    shown = _solution(truth) if truth.name == _SOLUTION else _devkit(truth)
    numbers = {wnid: number for number, wnid in enumerate(classes)}
    labels = np.empty(len(files), dtype=np.int64)
    for row, name in enumerate(files):
        wnid = shown(name)
        if wnid not in numbers:
            raise DataError(f"{root / 'val' / name}: is of class {wnid} by {truth}, which train/ does not have")
        labels[row] = numbers[wnid]
    return Members([f"val/{name}" for name in files], labels)


def _solution(path: Path) -> Callable[[str], str | None]:
    """What images show by Kaggle's table: lines of 'IMAGE,WNID x y x y ...' below a header."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            shown = {row[0]: row[1].split()[0] for row in csv.reader(file) if len(row) > 1 and row[1].strip()}
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    return lambda name: shown.get(name.partition(".")[0])


def _devkit(path: Path) -> Callable[[str], str | None]:
    """What images show by the development kit: line n is the class of image n, by the numbers of `meta.mat`."""
    from scipy.io import loadmat

    meta = path.with_name("meta.mat")
    try:
        lines = [int(line) for line in path.read_text(encoding="ascii").split()]
        synsets = loadmat(meta, squeeze_me=True, struct_as_record=True)["synsets"]
        wnids = {int(synset["ILSVRC2012_ID"]): str(synset["WNID"]) for synset in synsets}
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise DataError(f"{meta} and {path.name}: cannot be read ({error})") from error

    def shown(name: str) -> str | None:
        match = _NUMBER.search(name)
        number = int(match[1]) if match else 0
        return wnids.get(lines[number - 1]) if 0 < number <= len(lines) else None

    return shown
