"""Class folders of images: `PATH/train/CLASS/*` and `PATH/test/CLASS/*`, perhaps `PATH/val/CLASS/*`; or `PATH/CLASS/*`.

How they become train, validation and test: `nas.data.division.divide`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from nas.data.classfolders import Members, class_names, members, subfolders
from nas.data.dataset import Progress
from nas.data.division import TEST, TRAIN, UNDIVIDED, VALIDATION
from nas.data.filesource import EncodedSource, read_file, stamp_of
from nas.data.listing import Listing, ranges
from nas.data.source import datasets
from nas.data.survey import Survey

_FOLDERS = {TRAIN: ("train",), VALIDATION: ("val", "validation"), TEST: ("test",)}
"""What the folder of a part may be called; the first that is there counts."""


@datasets.register("folder")
@dataclass(frozen=True)
class Folder(EncodedSource):
    """A folder of class folders of images."""

    kind: ClassVar[str] = "folder"
    holds: ClassVar[str] = "a folder that holds class folders, or train/ and test/"

    @classmethod
    def example(cls, folder: Path) -> str:
        """Two classes of gray squares, undivided."""
        for label, name in enumerate(("dark", "light")):
            (folder / name).mkdir()
            for index in range(10):
                Image.new("RGB", (8, 6), (100 * label + index,) * 3).save(folder / name / f"{index}.png")
        return f"folder:{folder}"

    def stamp(self) -> str:
        """Over every file."""
        _, parts = self._parts()
        return stamp_of(f"{self.path}/{name}" for part in parts.values() for name in part.names)

    def listing(self, cache: Path, progress: Progress) -> Listing:
        """List the files, and hash their bytes the first time: seconds for 60,000 small ones, later their `stat`."""
        classes, parts = self._parts()
        names = [name for part in parts.values() for name in part.names]
        return Listing(
            classes=classes,
            names=names,
            labels=np.concatenate([part.labels for part in parts.values()]),
            parts=ranges({name: len(part.names) for name, part in parts.items()}),
            survey=Survey.remembered(cache, self.survey_key(), lambda: Survey.of(self.look(), names, progress)),
        )

    def encoded(self) -> Callable[[str], bytes]:
        """A name is a path from the folder."""
        return lambda name: read_file(f"{self.path}/{name}")

    def _parts(self) -> tuple[tuple[str, ...], Mapping[str, Members]]:
        """The classes, and the images of each part that has a folder."""
        there = subfolders(self.path)
        if "train" not in there:
            classes = class_names(self.path)
            return classes, {UNDIVIDED: members(self.path, "", classes)}
        classes = class_names(self.path / "train")
        folders = {part: next((name for name in names if name in there), None) for part, names in _FOLDERS.items()}
        return classes, {part: members(self.path, name, classes) for part, name in folders.items() if name is not None}
