"""Class folders of images: `PATH/train/CLASS/*` and `PATH/test/CLASS/*`, perhaps `PATH/val/CLASS/*`; or `PATH/CLASS/*`.

The folders of parts go by any name of `nas.data.parts`. A set is divided where a folder that is called like the train
part holds folders; otherwise every folder is a class, whatever it is called. How parts become train, validation and
test: `nas.data.division.divide`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from PIL import Image

from nas.data.classfolders import ClassFolders, Members
from nas.data.dataset import Progress
from nas.data.files import Listed, first_few, read_file, shown, stamp_of
from nas.data.filesource import EncodedSource
from nas.data.listing import Listing, ranges
from nas.data.parts import (
    EXTRA,
    PART_WORDS,
    TEST,
    TRAIN,
    UNDIVIDED,
    VALIDATION,
    VOCABULARY,
    left_extra,
    part_of,
    part_said,
)
from nas.data.reference import one_of, option, yes_or_no
from nas.data.source import datasets
from nas.errors import DataError


class Layout(NamedTuple):
    """What a folder holds.

    Attributes:
        classes: in the order of the labels.
        parts: the images of each part.
        remarks: what a user should know, in sentences.
        left_out: what is not read, by name.
    """

    classes: tuple[str, ...]
    parts: Mapping[str, Members]
    remarks: tuple[str, ...]
    left_out: list[str]


@datasets.register("folder")
@dataclass(frozen=True)
class Folder(EncodedSource):
    """A folder of class folders of images.

    Attributes:
        nested: whether folders in a class's folder are read, too.
        parts: whether folders may be parts; if not, all are classes.
        extra: 'leave' out a part called extra, or 'train' on it, too.
        unknown: 'fail' or 'skip' where files or folders beside the known ones are not understood.
    """

    kind: ClassVar[str] = "folder"
    holds: ClassVar[str] = "a folder that holds class folders, or train/ and test/"

    nested: bool = option(True, yes_or_no)
    parts: bool = option(True, yes_or_no)
    extra: Literal["leave", "train"] = option("leave", one_of("leave", "train"))
    unknown: Literal["fail", "skip"] = option("fail", one_of("fail", "skip"))

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
        layout = self._layout()
        names = [name for part in layout.parts.values() for name in part.names]
        return stamp_of(f"{self.path}/{name}" for name in (*names, *layout.left_out))

    def listing(self, cache: Path, progress: Progress) -> Listing:
        """List the files, and hash their bytes the first time: seconds for 60,000 small ones, later their `stat`."""
        layout = self._layout()
        names = [name for part in layout.parts.values() for name in part.names]
        return Listing(
            classes=layout.classes,
            names=names,
            labels=np.concatenate([part.labels for part in layout.parts.values()]),
            parts=ranges({name: len(part.names) for name, part in layout.parts.items()}),
            survey=self.survey(cache, names, progress),
            remarks=layout.remarks,
        )

    def encoded(self) -> Callable[[str], bytes]:
        """A name is a path from the folder."""
        return lambda name: read_file(f"{self.path}/{name}")

    def _layout(self) -> Layout:
        """The classes, and the images of each part that has a folder."""
        reader = ClassFolders(root=self.path, nested=self.nested, skip_unknown=self.unknown == "skip")
        top = reader.look()
        named = self._parts_by_name(top) if self.parts else {}
        inside = {name: reader.look(name) for name in named}
        remarks: tuple[str, ...] = ()
        if any(part == TRAIN and inside[name].folders for name, part in named.items()):
            classes, parts = self._divided(reader, top, named, inside)
            parts, remarks = left_extra(parts, lambda part: len(part.names), self.extra)
        else:
            if named and len(named) == len(top.folders):
                raise DataError(
                    f"{self.path}: {first_few(named)} are called like parts, and none to train on holds class folders; "
                    "put the images of each class into a folder of its own in each part, or say that these folders are "
                    "the classes with the option '?parts=no'"
                )
            classes = reader.classes("", top.folders)
            parts = {UNDIVIDED: reader.members("", top, classes, every=True)}
            if self.parts:
                self._require_undivided(parts[UNDIVIDED])
            whole = [name for name in named if name.lower() in PART_WORDS]
            if whole:
                remarks = (f"the set is undivided; {first_few(whole)} is read as a class, not as a part",)
        return Layout(classes, parts, (*remarks, *reader.left_out.remarks()), reader.left_out.all())

    def _require_undivided(self, members: Members) -> None:
        """Raise DataError where the name of every image says a part, as others lay out a divided set."""
        said = set()
        for name in members.names:
            part = part_said(PurePath(name).stem)
            if part is None:
                return
            said.add(part)
        if TRAIN in said and len(said) > 1:
            raise DataError(
                f"{self.path}: the names of its images say parts, such as {shown(members.names[0])}; put each part "
                "into a folder of its own, or take all as one undivided set with the option '?parts=no'"
            )

    def _parts_by_name(self, top: Listed) -> dict[str, str]:
        """The folders that are called like a part, and that part."""
        named = {}
        for name in top.folders:
            try:
                part = part_of(name)
            except DataError as error:
                raise DataError(f"{self.path / name}: {error}, or say '?parts=no' where it is a class") from error
            if part is not None:
                named[name] = part
        return named

    def _divided(
        self, reader: ClassFolders, top: Listed, named: Mapping[str, str], inside: Mapping[str, Listed]
    ) -> tuple[tuple[str, ...], dict[str, Members]]:
        folders: dict[str, str] = {}
        for name, part in named.items():
            if part in folders:
                raise DataError(
                    f"{self.path}: {folders[part]} and {name} are both called like the part {part}; keep one of them "
                    "there, or say that all folders are classes with the option '?parts=no'"
                )
            folders[part] = name
        others = [name for name in (*top.folders, *top.files) if name not in named]
        reader.stray("", others, f"no part of the set beside {first_few(named)}; parts are called {VOCABULARY}")
        train = folders[TRAIN]
        classes = reader.classes(train, inside[train].folders)
        order = sorted(folders, key=(TRAIN, VALIDATION, TEST, EXTRA).index)
        parts = {
            part: reader.members(folders[part], inside[folders[part]], classes, every=part == TRAIN) for part in order
        }
        return classes, {part: found for part, found in parts.items() if found.names or self.unknown == "fail"}
