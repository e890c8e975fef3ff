"""Class folders of images: `PATH/train/CLASS/*`, `PATH/test/CLASS/*`, perhaps `PATH/val/CLASS/*`; or `PATH/CLASS/*`.

Without `val/` a tenth of `train/` is held out; without `train/` the images are split 60/20/20. Both are stratified.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nas.data.atomic import new_file
from nas.data.dataset import Progress
from nas.data.images import in_threads, read_header, read_pixels
from nas.data.source import DECODING, Catalog, Source, datasets
from nas.data.split import draw
from nas.errors import DataError

SPLIT_SEED = 0
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.25  # of what the test split leaves: 60/20/20 in all
VALIDATION_SHARE_OF_TRAIN = 0.1
VALIDATION_NAMES = ("val", "validation")


class Part(NamedTuple):
    """Images of one split: names relative to the data set's folder, and the class index of each."""

    names: list[str]
    labels: NDArray[np.int64]


@datasets.register("folder")
@dataclass(frozen=True)
class Folder(Source):
    """A folder of class folders of images."""

    path: Path
    flippable: ClassVar[bool] = True

    @classmethod
    def parse(cls, argument: str) -> Self:
        """The argument is the path of the folder; a relative one is made absolute."""
        if not argument:
            raise DataError("folder: the path is missing; write 'folder:PATH'")
        path = Path(argument).expanduser().absolute()
        if not path.is_dir():
            raise DataError(f"{path}: no such folder; name one that holds class folders, or train/ and test/")
        return cls(path)

    @property
    def reference(self) -> str:
        """The absolute path."""
        return f"folder:{self.path}"

    def catalog(self, cache: Path, progress: Progress) -> Catalog:
        """List the files and hash their bytes (once: the hash is kept until a name, size or time changes)."""
        classes, parts = _parts(self.path)
        names = tuple(chain.from_iterable(part.names for part in parts))
        content = _content(self.path, names, cache, progress)
        counts = (len(parts[0].names), len(parts[1].names), len(parts[2].names))
        identity = json.dumps(["folder", DECODING, content.digest, classes, counts, SPLIT_SEED, names])
        return Catalog(
            classes=classes,
            channels=content.channels,
            names=names,
            labels=np.concatenate([part.labels for part in parts]),
            counts=counts,
            fingerprint=sha256(identity.encode()).hexdigest()[:16],
        )

    def decode(self, catalog: Catalog, into: NDArray[np.uint8], progress: Progress) -> None:
        """Decode in a few threads."""
        read = functools.partial(read_pixels, side=into.shape[-1], channels=catalog.channels)
        for row, pixels in enumerate(in_threads(read, [self.path / name for name in catalog.names], progress)):
            into[row] = pixels


class Content(NamedTuple):
    """What the bytes of all files together say."""

    digest: str
    channels: int


def _parts(path: Path) -> tuple[tuple[str, ...], tuple[Part, Part, Part]]:
    """The classes, and the images of train, validation and test."""
    folders = {folder.name for folder in _folders(path)}
    if "train" not in folders:
        return _undivided(path)
    if "test" not in folders:
        raise DataError(
            f"{path}: there is train/ but no test/; add it (a link to val/ will do: a tenth of train/ is then held "
            "out for validation), or name a folder that holds only class folders to have it split"
        )
    classes = _classes(path / "train")
    train, test = _list(path, "train", classes), _list(path, "test", classes)
    given = next((name for name in VALIDATION_NAMES if name in folders), None)
    if given is not None:
        return classes, (train, _list(path, given, classes), test)
    train, validation = _hold_out(path, train, VALIDATION_SHARE_OF_TRAIN)
    return classes, (train, validation, test)


def _undivided(path: Path) -> tuple[tuple[str, ...], tuple[Part, Part, Part]]:
    classes = _classes(path)
    rest, test = _hold_out(path, _list(path, "", classes), TEST_SHARE)
    train, validation = _hold_out(path, rest, VALIDATION_SHARE)
    return classes, (train, validation, test)


def _classes(path: Path) -> tuple[str, ...]:
    classes = tuple(folder.name for folder in _folders(path))
    if len(classes) < 2:
        found = f"only one class folder ({classes[0]})" if classes else "no class folder"
        raise DataError(f"{path}: {found}; put the images of each class, two at least, into a folder of its own")
    return classes


def _list(path: Path, split: str, classes: Sequence[str]) -> Part:
    """The images under `path/split/CLASS/`, by class and name."""
    unknown = {folder.name for folder in _folders(path / split)} - set(classes)
    if unknown:
        raise DataError(f"{path / split / min(unknown)}: not a class of {path / 'train'}; rename or delete the folder")
    prefix = f"{split}/" if split else ""
    members = [[f"{prefix}{name}/{file}" for file in _images(path / split / name)] for name in classes]
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), [len(images) for images in members])
    return Part(list(chain.from_iterable(members)), labels)


def _hold_out(path: Path, part: Part, share: float) -> tuple[Part, Part]:
    """What remains and what is held out."""
    drawn, rest = draw(part.names, part.labels, share, seed=SPLIT_SEED)
    emptied = set(part.labels.tolist()) - set(part.labels[rest].tolist())
    if emptied:
        name = part.names[int(np.flatnonzero(part.labels == min(emptied))[0])]
        raise DataError(f"{(path / name).parent}: too few images to hold some out; add images or drop the class")
    return _pick(part, rest), _pick(part, drawn)


def _pick(part: Part, indices: NDArray[np.intp]) -> Part:
    return Part([part.names[index] for index in indices], part.labels[indices])


def _images(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"{folder}: missing, though train/ has this class; every split needs images of every class")
    files = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    if not files:
        raise DataError(f"{folder}: no image in this class folder; add images or delete the class")
    return files


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not entry.name.startswith(".") and entry.is_dir())


def _content(path: Path, names: Sequence[str], cache: Path, progress: Progress) -> Content:
    """Hash of all files' bytes, from the cache if nothing was touched since.

    Bytes, not times: a copy of the data on another machine is the same data. CIFAR-10 (60,000 files): the first time
    takes seconds, later ones only the `stat` of every file.
    """
    memo = cache / "listings" / f"{_stamp(path, names)}.json"
    known = _recall(memo)
    if known is not None:
        return known
    total, is_gray = sha256(), True
    for header in in_threads(read_header, [path / name for name in names], progress):
        total.update(header.digest)
        is_gray &= header.is_gray
    content = Content(total.hexdigest(), 1 if is_gray else 3)
    with new_file(memo) as temporary:
        temporary.write_text(json.dumps(content._asdict()))
    return content


def _stamp(path: Path, names: Sequence[str]) -> str:
    """Changes with any file's name, size or time."""
    stamp = sha256(f"{DECODING} {path}".encode())
    for name in names:
        try:
            status = os.stat(f"{path}/{name}")
        except OSError as error:
            raise DataError(f"{path / name}: cannot be read ({error.strerror}); repair or delete it") from error
        stamp.update(f"\n{name} {status.st_size} {status.st_mtime_ns}".encode())
    return stamp.hexdigest()[:32]


def _recall(memo: Path) -> Content | None:
    try:
        return Content(**json.loads(memo.read_text()))
    except (OSError, ValueError, TypeError):  # none yet, or not ours: find out again
        return None
