"""Folders with one folder of images a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.files import Below, Listed, below, first_few, listed, shown
from nas.data.parts import normal
from nas.errors import DataError

_DOCUMENTS = frozenset(
    [
        *(".bib", ".cff", ".cfg", ".csv", ".html", ".ipynb", ".json", ".jsonl", ".log", ".md", ".mat", ".pdf", ".py"),
        *(".rst", ".sha256", ".sh", ".toml", ".tsv", ".txt", ".xml", ".yaml", ".yml"),
    ]
)
"""Files about images; what images show is told by their folders, so these are not read."""
_DOCUMENT_NAMES = frozenset(
    {"readme", "license", "licence", "copying", "authors", "changelog", "checksums", "sha256sums"}
)


class Members(NamedTuple):
    """Images by name, relative to the data set's folder, and the class index of each."""

    names: list[str]
    labels: NDArray[np.int64]


@dataclass(slots=True)
class LeftOut:
    """What lies among class folders and is not read, by name from the data set's folder.

    Attributes:
        documents: texts and tables beside the images.
        unknown: what was not understood, and is left out since an option says so.
        system: what operating systems have put there.
    """

    documents: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    system: list[str] = field(default_factory=list)

    def remarks(self) -> tuple[str, ...]:
        """All of it, in sentences."""
        kinds = (
            ("not understood", self.unknown),
            ("put there by an operating system", self.system),
            ("text beside the images", self.documents),
        )
        return tuple(f"{len(names):,} left out ({kind}): {first_few(names)}" for kind, names in kinds if names)

    def all(self) -> list[str]:
        """All of it by name."""
        return [*self.documents, *self.unknown, *self.system]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFolders:
    """Reads class folders in one way.

    Attributes:
        root: the data set's folder.
        nested: read the folders in a class's folder, too; refuse them otherwise.
        skip_unknown: leave out what is not understood; refuse it otherwise.
        left_out: where what is left out is noted.
    """

    root: Path
    nested: bool = True
    skip_unknown: bool = False
    left_out: LeftOut = field(default_factory=LeftOut)

    def look(self, part: str = "") -> Listed:
        """What is in the folder of a part ('' for the data set's), without what is left out.

        Raises:
            DataError: the folder cannot be listed.
        """
        found = listed(self.root / part)
        self.left_out.system += [_join(part, name) for name in found.system]
        return found

    def classes(self, part: str, folders: Sequence[str]) -> tuple[str, ...]:
        """The classes that folders stand for; raises DataError where there are fewer than two."""
        spelled = {normal(name): name for name in reversed(folders)}
        classes = tuple(sorted(spelled.values()))
        if len(classes) < 2:
            found = f"only one class folder ({shown(classes[0])})" if classes else "no class folder"
            inside = listed(self.root / part / classes[0]).folders if classes else []
            if len(inside) > 1:
                found += f", which holds folders itself ({first_few(inside)}), so perhaps that is the one to name"
            raise DataError(
                f"{self.root / part}: {found}; put the images of each class, two at least, into a folder of its own"
            )
        return classes

    def members(self, part: str, found: Listed, classes: Sequence[str], *, every: bool) -> Members:
        """The images under `root/part/CLASS/`, by class and name.

        Args:
            part: '' where the class folders are in the data set's folder itself.
            found: what is in it.
            classes: those that the images can be of, by label.
            every: there must be images of all of them.

        Raises:
            DataError: something in the folder is not understood, or there are folders in a class's that are not read.
        """
        self.stray(part, found.files, "no class folder")
        numbers = {normal(name): number for number, name in enumerate(classes)}
        known = [name for name in found.folders if normal(name) in numbers]
        self.stray(
            part,
            [name for name in found.folders if normal(name) not in numbers],
            f"not a class of train, which has {first_few(classes)}",
        )
        names: list[str] = []
        labels: list[int] = []
        for name in sorted(known, key=lambda name: (numbers[normal(name)], name)):
            files = self._images(_join(part, name))
            if every and not files:
                raise DataError(f"{self.root / part / name}: no image in this class folder; add images to it")
            names += files
            labels += [numbers[normal(name)]] * len(files)
        return Members(names, np.array(labels, dtype=np.int64))

    def stray(self, part: str, names: Sequence[str], why: str) -> None:
        """Note what is beside class folders, or folders of parts; raises DataError where it may hold images."""
        paths = [_join(part, name) for name in names]
        documents = [path for path in paths if _is_document(PurePath(path)) and not (self.root / path).is_dir()]
        unknown = sorted(set(paths) - set(documents))
        if unknown and not self.skip_unknown:
            others = f" (nor {first_few(unknown[1:])})" if len(unknown) > 1 else ""
            raise DataError(
                f"{self.root / unknown[0]}: {why}{others}; rename it or move it elsewhere, or have what is not "
                "understood left out with the option '?unknown=skip'"
            )
        self.left_out.documents += documents
        self.left_out.unknown += unknown

    def _images(self, folder: str) -> list[str]:
        found: Below = below(self.root / folder)
        if found.folders and not self.nested:
            raise DataError(
                f"{self.root / folder}: holds folders ({first_few(found.folders)}); move their images up into it"
            )
        self.left_out.system += [_join(folder, name) for name in found.system]
        return [_join(folder, name) for name in found.files]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_document(path: PurePath) -> bool:
    return path.suffix.lower() in _DOCUMENTS or path.stem.lower() in _DOCUMENT_NAMES
