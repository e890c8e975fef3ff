"""Parquet files as on the Hugging Face hub: which are of which part, which column is what, and the rows of a column."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.division import TEST, TRAIN, UNDIVIDED, VALIDATION
from nas.data.filesource import cannot_read
from nas.errors import DataError

_PART = re.compile(r"(train|validation|valid|val|dev|test)(?![a-z])", re.IGNORECASE)
_PARTS = {
    "train": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
}
_IMAGE_NAMES = ("image", "img", "images", "image_path", "file_name", "path")
_LABEL_NAMES = ("label", "labels", "target", "class", "y")
_KEPT_BYTES = 2**27
_OPEN_FILES = 32


def shards_of(path: Path) -> dict[str, list[Path]]:
    """The files at a path, sorted, by the part that their names, or those of their folders, begin with.

    Raises:
        DataError: there is none, only some are of a part, or they are of several data sets.
    """
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    if not files:
        raise DataError(f"{path}: no .parquet file there")
    parts: dict[str, list[Path]] = {}
    homes = set()
    for file in files:
        part, home = _part_of(file, path)
        parts.setdefault(part, []).append(file)
        homes.add(home)
    if UNDIVIDED in parts and len(parts) > 1:
        raise DataError(f"{parts[UNDIVIDED][0]}: its name says no part (train-*, validation-* or test-*); others' do")
    if len(homes) > 1:
        raise DataError(f"{path}: several data sets ({', '.join(sorted(map(str, homes)))}); name one of the folders")
    return parts


def _part_of(file: Path, path: Path) -> tuple[str, Path]:
    """The part of a file, and its folder without one that is named after the part."""
    match = _PART.match(file.stem)
    if match:
        return _PARTS[match[1].lower()], file.parent
    match = _PART.fullmatch(file.parent.name) if file.parent.is_relative_to(path) and file.parent != path else None
    return (_PARTS[match[1].lower()], file.parent.parent) if match else (UNDIVIDED, file.parent)


class Columns(NamedTuple):
    """What is where.

    Attributes:
        image: name of the column of images.
        label: name of the column of labels.
        classes: their names, where the hub's libraries wrote them down.
    """

    image: str
    label: str
    classes: tuple[str, ...] | None


def find_columns(path: Path, *, image: str, label: str) -> Columns:
    """Find the columns of a file by what the hub's libraries wrote about them, their names and their types.

    Args:
        path: of the file.
        image: name of the column of images, or '' to find it.
        label: the same for labels.

    Raises:
        DataError: a column is not there, or several could be meant.
    """
    schema = open_parquet(path).schema_arrow
    features = _features(schema)

    def chosen(role: str, wanted: str, usual: tuple[str, ...], feature: str, fits: Callable[[Any], bool]) -> str:
        fitting = [column.name for column in schema if fits(column.type)]
        if wanted in fitting:
            return wanted
        declared = [name for name in fitting if features.get(name, {}).get("_type") == feature]
        found = [name for name in usual if name in (declared or fitting)][:1] or declared
        if wanted or len(found) != 1:
            there = ", ".join(f"{column.name} ({str(column.type)[:40]})" for column in schema)
            what = f"{wanted!r} cannot be the {role}." if wanted else f"which column is the {role}?"
            raise DataError(f"{path}: {what} There are {there}; name one with the option '?{role}=NAME'")
        return found[0]

    label = chosen("label", label, _LABEL_NAMES, "ClassLabel", _can_be_label)
    names = features.get(label, {}).get("names")
    return Columns(
        image=chosen("image", image, _IMAGE_NAMES, "Image", _can_be_image),
        label=label,
        classes=tuple(map(str, names)) if isinstance(names, list) else None,
    )


def _features(schema: Any) -> Mapping[str, Mapping[str, Any]]:
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}


def _can_be_image(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(kind.field(index).name in ("bytes", "path") for index in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind)) or _is_text(kind)


def _can_be_label(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind)) or _is_text(kind)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def open_parquet(path: Path) -> Any:
    """A `pyarrow.parquet.ParquetFile`; raises DataError where it is none."""
    from pyarrow.parquet import ParquetFile

    with reading(path):
        return ParquetFile(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors of pyarrow in the block as errors about the file at `path`."""
    from pyarrow import ArrowException

    try:
        yield
    except ArrowException as error:
        raise DataError(f"{path}: is no whole Parquet file ({error})") from error
    except OSError as error:
        if error.strerror is None:  # pyarrow's own, about the content
            raise DataError(f"{path}: is no whole Parquet file ({error})") from error
        raise cannot_read(path, error) from error


def read_column(path: Path, column: str, *, rows: int = 65536) -> Iterator[list[Any]]:
    """The values of a column, so many rows at a time, as Python has them; raises DataError."""
    file = open_parquet(path)
    with reading(path):
        for batch in file.iter_batches(batch_size=rows, columns=[column], use_threads=False):
            yield batch.column(0).to_pylist()


class Rows:
    """Single values of one column of many files. Whole row groups are read, and the latest ones kept."""

    def __init__(self, column: str) -> None:
        """Of a column; several threads may use it."""
        self._column = column
        self._open = lru_cache(maxsize=_OPEN_FILES)(_opened)
        self._groups: OrderedDict[tuple[Path, int], Any] = OrderedDict()
        self._lock = threading.Lock()

    def value(self, path: Path, row: int) -> Any:
        """The value as Python has it; raises DataError where the file is damaged."""
        with self._lock:  # a file is for one thread at a time, and the others wait for the same row group as a rule
            file, starts = self._open(path)
            group = int(np.searchsorted(starts, row, side="right")) - 1
            values = self._group(path, file, group)
        return values[row - int(starts[group])].as_py()

    def _group(self, path: Path, file: Any, group: int) -> Any:
        key = path, group
        if key not in self._groups:
            with reading(path):
                self._groups[key] = file.read_row_group(group, columns=[self._column], use_threads=False).column(0)
            while len(self._groups) > 1 and sum(values.nbytes for values in self._groups.values()) > _KEPT_BYTES:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]


def _opened(path: Path) -> tuple[Any, NDArray[np.int64]]:
    """A file, and the first row of each of its row groups."""
    file = open_parquet(path)
    rows = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    return file, np.cumsum([0, *rows[:-1]], dtype=np.int64)
