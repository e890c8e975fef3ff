"""Images in Parquet files, as on the Hugging Face hub: `parquet:PATH` of a file, or of a folder of shards.

* The part is what a file's name says, or that of a folder around it, by the words of `nas.data.parts`; shards whose
  names say nothing are undivided, and are split.
* The image column holds the bytes of an image file, or a struct of `bytes` and `path`, or paths only, from the file's
  folder or from PATH. The label column holds numbers, truth values or text, plain or as a dictionary. Columns are found
  in the first file by what the hub's libraries wrote about them, or by the usual names; `?image=` and `?label=` say it
  otherwise. All files have them alike, and each numbers the classes as it says itself.
* A part whose labels are all -1, or all missing, has had them withheld (the hub's ImageNet test split) and is left out.

Streaming reads a row group for every image that is not in one of the latest groups, so it wants them small: the hub's
have 100 rows of large images, or 1,000.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from PIL import Image

from nas.data.dataset import Progress
from nas.data.files import FileError, read_file, shown, stamp_of
from nas.data.filesource import EncodedSource
from nas.data.labels import Labels, is_withheld, numbered
from nas.data.listing import Listing, ranges
from nas.data.parquet_files import (
    Columns,
    Rows,
    find_columns,
    read_labels,
    require_columns,
    split_column,
    stored_paths,
)  # fmt: skip
from nas.data.parquet_shards import Shards, shards_of
from nas.data.parts import UNDIVIDED, left_extra
from nas.data.reference import one_of, option, word, yes_or_no
from nas.data.source import datasets
from nas.errors import DataError


class Part(NamedTuple):
    """The images of one part by name, and the labels of each of its files."""

    names: list[str]
    labels: list[Labels]


@datasets.register("parquet")
@dataclass(frozen=True)
class Parquet(EncodedSource):
    """Parquet files.

    Attributes:
        image: name of the column of images; '' to find it.
        label: name of the column of labels; '' to find it.
        parts: whether names say parts; if not, all files are one undivided set.
        extra: 'leave' out a part called extra, or 'train' on it, too.
        unknown: 'fail' or 'skip' where files beside known parts are not understood.
    """

    kind: ClassVar[str] = "parquet"
    holds: ClassVar[str] = "a .parquet file, or a folder of them"

    image: str = option("", word)
    label: str = option("", word)
    parts: bool = option(True, yes_or_no)
    extra: Literal["leave", "train"] = option("leave", one_of("leave", "train"))
    unknown: Literal["fail", "skip"] = option("fail", one_of("fail", "skip"))

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
        found = self._shards()
        shards = [shard for part in found.parts.values() for shard in part]
        column = self._columns(found).image
        images = (self._place(shard, stored) for shard in shards for stored in stored_paths(shard, column))
        return stamp_of([*shards, *found.left_out, *images])

    def listing(self, cache: Path, progress: Progress) -> Listing:
        """Read the labels, and hash the images the first time."""
        found = self._shards()
        columns = self._columns(found)
        remarks = list(found.remarks)
        ignored = split_column(found.parts[UNDIVIDED][0]) if UNDIVIDED in found.parts else None
        if ignored and ignored != columns.label:
            remarks.append(f"the column {ignored!r} is not read: all rows are one undivided set")
        kept: dict[str, Part] = {}
        shards, left = left_extra(found.parts, len, self.extra, "file")
        for name, files in shards.items():
            part = self._part(files, columns.label)
            if part is None:
                remarks.append(f"the labels of {name} are withheld, so it is left out")
            else:
                kept[name] = part
        numbers = numbered(self.path, [labels for part in kept.values() for labels in part.labels])
        names = [name for part in kept.values() for name in part.names]
        survey = self.survey(cache, names, progress, about=f"{columns.image} {list(kept)}")
        return Listing(
            classes=numbers.classes,
            names=names,
            labels=numbers.labels,
            parts=ranges({name: len(part.names) for name, part in kept.items()}),
            survey=survey.labelled(numbers.labels),
            remarks=(*remarks, *left, *numbers.remarks),
        )

    def encoded(self) -> Callable[[str], bytes]:
        """A name is FILE/ROW, the file relative to the data set's folder."""
        rows = Rows(self._columns(self._shards()).image)

        def read(name: str) -> bytes:
            file, _, row = name.rpartition("/")
            shard = self._root / file
            value = rows.value(shard, int(row))
            content = value.get("bytes") if isinstance(value, dict) else value
            if isinstance(content, bytes):
                return content
            path = _path_in(value)
            if not path:
                raise FileError(shard, f"row {row} has neither the bytes nor the path of an image")
            try:
                return read_file(self._resolved(shard, path))
            except FileError as error:
                raise FileError(shard, f"{shown(path)}: {error.reason}") from error

        return read

    @property
    def _root(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    def _shards(self) -> Shards:
        return shards_of(self.path, by_name=self.parts, skip_unknown=self.unknown == "skip")

    def _columns(self, found: Shards) -> Columns:
        """Those of the first file; raises DataError where another does not have them."""
        first, *others = (shard for part in found.parts.values() for shard in part)
        columns = find_columns(first, image=self.image, label=self.label)
        for shard in others:
            require_columns(shard, columns, first)
        return columns

    def _part(self, shards: Sequence[Path], column: str) -> Part | None:
        """What files hold; None where all labels are withheld."""
        part, withheld = Part([], []), []
        for shard in shards:
            labels = read_labels(shard, column)
            if labels is None or is_withheld(labels.numbers):
                withheld.append(shard)
                continue
            file = shard.relative_to(self._root).as_posix()
            part.names.extend(f"{file}/{row}" for row in range(len(labels.numbers)))
            part.labels.append(labels)
        if withheld and part.names:
            raise DataError(f"{withheld[0]}: its labels are withheld, and those of {part.labels[0].origin} are not")
        return None if withheld else part

    def _place(self, shard: Path, path: str) -> str | Path:
        """The file of an image, or its path as it is stored where that leads out of the data set's folder."""
        try:
            return self._resolved(shard, path)
        except DataError:
            return path

    def _resolved(self, shard: Path, path: str) -> Path:
        """The file of an image, whose path is from the folder of its shard, or else from that of the data set.

        Only files below the data set's folder: a Parquet file from elsewhere must not choose what is read. Links in the
        folder are its owner's, and followed.
        """
        found = [os.path.relpath(os.path.join(folder, path), self._root) for folder in (shard.parent, self._root)]
        inside = [self._root / place for place in found if os.pardir not in Path(place).parts]
        if not inside:
            raise DataError(f"{shard}: the image {shown(path)!r} is outside the data set's folder; copy it there")
        return next((file for file in inside if os.path.exists(file)), inside[-1])


def _path_in(value: Any) -> str:
    path = value.get("path") if isinstance(value, dict) else value
    return path if isinstance(path, str) else ""
