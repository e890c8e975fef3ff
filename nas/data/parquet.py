"""Images in Parquet files, as on the Hugging Face hub: `parquet:PATH` of a file, or of a folder of shards.

* The part is what a file's name begins with, `train-*`, `validation-*` or `test-*`, or that of its folder; files whose
  names say nothing are undivided, and are split.
* The image column holds the bytes of an image file, or a struct of `bytes` and `path`, or paths only, from the file's
  folder or from PATH. The label column holds numbers from 0 on, or the names of the classes. Columns are found by what
  the hub's libraries wrote about them, or by the usual names; `?image=` and `?label=` say it otherwise.
* A part whose labels are all -1 has had them withheld (the hub's ImageNet test split) and is left out.

Streaming reads a row group for every image that is not in one of the latest groups, so it wants them small: the hub's
have 100 rows of large images, or 1,000.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.dataset import Progress
from nas.data.filesource import EncodedSource, read_file, stamp_of
from nas.data.listing import Listing, ranges
from nas.data.options import option, word
from nas.data.parquet_files import Columns, Rows, find_columns, read_column, shards_of
from nas.data.source import datasets
from nas.data.survey import Survey
from nas.errors import DataError

_WITHHELD = -1


class Part(NamedTuple):
    """The images of one part by name, and their labels: numbers, or names of classes."""

    names: list[str]
    labels: NDArray[Any]


@datasets.register("parquet")
@dataclass(frozen=True)
class Parquet(EncodedSource):
    """Parquet files.

    Attributes:
        image: name of the column of images; '' to find it.
        label: name of the column of labels; '' to find it.
    """

    kind: ClassVar[str] = "parquet"
    holds: ClassVar[str] = "a .parquet file, or a folder of them"

    image: str = option("", word)
    label: str = option("", word)

    @classmethod
    def example(cls, folder: Path) -> str:
        """Two classes of gray squares in a shard each for train and test."""
        import pyarrow
        from pyarrow.parquet import write_table

        for part in ("train", "test"):
            images = []
            for index in range(20):
                file = io.BytesIO()
                Image.new("RGB", (8, 6), (100 * (index % 2) + index,) * 3).save(file, "PNG")
                images.append({"bytes": file.getvalue(), "path": None})
            table = pyarrow.table({"image": images, "label": [index % 2 for index in range(20)]})
            write_table(table, folder / f"{part}-00000-of-00001.parquet")
        return f"parquet:{folder}"

    def stamp(self) -> str:
        """Over every file, those of the images too where only their paths are stored."""
        shards = [shard for part in shards_of(self.path).values() for shard in part]
        column = self._columns(shards).image
        first = next(read_column(shards[0], column, rows=1), [])
        if not any(map(_has_only_paths, first)):
            return stamp_of(shards)
        images = (
            self._resolved(shard, _path_in(value))
            for shard in shards
            for values in read_column(shard, column)
            for value in values
        )
        return stamp_of([*shards, *images])

    def listing(self, cache: Path, progress: Progress) -> Listing:
        """Read the labels, and hash the images the first time."""
        shards = shards_of(self.path)
        columns = self._columns(next(iter(shards.values())))
        parts = {part: self._part(files, columns.label) for part, files in shards.items()}
        withheld = [name for name, part in parts.items() if _is_withheld(part)]
        kept = {name: part for name, part in parts.items() if name not in withheld}
        classes, labels = self._numbered([part.labels for part in kept.values()], columns.classes)
        names = [name for part in kept.values() for name in part.names]
        key = f"{self.survey_key()} {columns.image} {withheld}"
        survey = Survey.remembered(cache, key, lambda: Survey.of(self.look(), names, progress))
        return Listing(
            classes=classes,
            names=names,
            labels=labels,
            parts=ranges({name: len(part.names) for name, part in kept.items()}),
            survey=survey.labelled(labels),
            remarks=tuple(f"the labels of {name} are withheld, so it is left out" for name in withheld),
        )

    def encoded(self) -> Callable[[str], bytes]:
        """A name is FILE/ROW, the file relative to the data set's folder."""
        rows = Rows(self._columns(next(iter(shards_of(self.path).values()))).image)

        def read(name: str) -> bytes:
            file, _, row = name.rpartition("/")
            shard = self._root / file
            value = rows.value(shard, int(row))
            content = value.get("bytes") if isinstance(value, dict) else value
            if isinstance(content, bytes):
                return content
            path = _path_in(value)
            return read_file(self._resolved(shard, path)) if path else b""

        return read

    @property
    def _root(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    def _columns(self, shards: Sequence[Path]) -> Columns:
        return find_columns(shards[0], image=self.image, label=self.label)

    def _part(self, shards: Sequence[Path], column: str) -> Part:
        names, labels = [], []
        for shard in shards:
            values = np.concatenate([np.array(some) for some in read_column(shard, column)] or [np.empty(0, np.int64)])
            if values.dtype.kind not in "iuU":
                raise DataError(f"{shard}: {column} lacks the label of some rows")
            names += [f"{shard.relative_to(self._root).as_posix()}/{row}" for row in range(len(values))]
            labels.append(values)
        return Part(names, np.concatenate(labels))

    def _numbered(
        self, labels: Sequence[NDArray[Any]], classes: tuple[str, ...] | None
    ) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The classes, and the labels of all parts as their numbers."""
        joined = np.concatenate(labels) if labels else np.empty(0, np.int64)
        if not len(joined):
            raise DataError(f"{self.path}: there are no labelled images")
        if joined.dtype.kind == "U":
            known, numbers = np.unique(joined, return_inverse=True)
            return tuple(known.tolist()), numbers.astype(np.int64)
        classes = classes or tuple(map(str, range(int(joined.max()) + 1)))
        if joined.min() < 0 or joined.max() >= len(classes):
            raise DataError(f"{self.path}: has labels below 0, or beyond the {len(classes)} classes")
        return classes, joined.astype(np.int64)

    def _resolved(self, shard: Path, path: str) -> Path:
        """The file of an image, whose path is from the folder of its shard, or else from that of the data set.

        Only files below the data set's folder: a Parquet file from elsewhere must not choose what is read. Links in the
        folder are its owner's, and followed.
        """
        found = [os.path.relpath(os.path.join(folder, path), self._root) for folder in (shard.parent, self._root)]
        inside = [self._root / place for place in found if os.pardir not in Path(place).parts]
        if not inside:
            raise DataError(f"{shard}: the image {path!r} is outside the data set's folder; copy it there")
        return next((file for file in inside if file.exists()), inside[-1])


def _path_in(value: Any) -> str:
    path = value.get("path") if isinstance(value, dict) else value
    return path if isinstance(path, str) else ""


def _has_only_paths(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and value.get("bytes") is None)


def _is_withheld(part: Part) -> bool:
    return part.labels.dtype.kind == "i" and len(part.labels) > 0 and bool((part.labels == _WITHHELD).all())
