"""Parquet files as on the Hugging Face hub: which column is what, and its rows."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.files import cannot_read, first_few, require_regular, shown
from nas.data.labels import Labels
from nas.data.parts import normal
from nas.errors import DataError

_IMAGE_NAMES = ("image", "img", "images", "image_path", "file_name", "path")
_LABEL_NAMES = ("label", "labels", "target", "class", "y")
_SPLIT_NAMES = frozenset({"split", "subset", "partition", "part", "fold", "set"})
_KEPT_BYTES = 2**27
_OPEN_FILES = 32


class Columns(NamedTuple):
    """What is where.

    Attributes:
        image: name of the column of images.
        label: name of the column of labels.
    """

    image: str
    label: str


def find_columns(path: Path, *, image: str, label: str) -> Columns:
    """Find the columns of a file by what the hub's libraries wrote about them, their names and their types.

    Args:
        path: of the file.
        image: name of the column of images, or '' to find it.
        label: the same for labels.

    Raises:
        DataError: a column is not there, or several could be meant.
    """
    schema = _schema(path)
    features = _features(path, schema)

    def chosen(role: str, wanted: str, usual: tuple[str, ...], feature: str, fits: Callable[[Any], bool]) -> str:
        fitting = [column.name for column in schema if fits(column.type)]
        if wanted in fitting:
            return wanted
        declared = [name for name in fitting if features.get(name, {}).get("_type") == feature]
        found = [name for name in usual if name in (declared or fitting)][:1] or declared
        if wanted or len(found) != 1:
            what = f"{wanted!r} cannot be the {role}." if wanted else f"which column is the {role}?"
            raise DataError(f"{path}: {what} There are {_columns(schema)}; name one with the option '?{role}=NAME'")
        return found[0]

    return Columns(
        image=chosen("image", image, _IMAGE_NAMES, "Image", _can_be_image),
        label=chosen("label", label, _LABEL_NAMES, "ClassLabel", _can_be_label),
    )


def split_column(path: Path) -> str | None:
    """The column of text that may say the part of each row, by its name."""
    return next(
        (one.name for one in _schema(path) if one.name.lower() in _SPLIT_NAMES and _can_be_label(one.type)), None
    )


def require_columns(path: Path, columns: Columns, like: Path) -> None:
    """Raise DataError where a file lacks the columns that were found in the file `like`, or has other things there."""
    schema = _schema(path)
    for role, name, fits in (("image", columns.image, _can_be_image), ("label", columns.label, _can_be_label)):
        places = schema.get_all_field_indices(name)
        if len(places) != 1 or not fits(schema.field(places[0]).type):
            raise DataError(
                f"{path}: has not one column {shown(name)!r} that can be the {role}, as {like.name} has. There are "
                f"{_columns(schema)}; name the columns of all files alike"
            )


def read_labels(path: Path, column: str) -> Labels | None:
    """The labels of a file; None where all are missing (null).

    Raises:
        DataError: some are missing, or the file is damaged.
    """
    origin, names = f"{path}: column {shown(column)}", _class_names(path, column)
    batches: list[NDArray[np.integer]] = []
    known: dict[str, int] = {}
    missing = total = 0
    for written in _batches(path, column):
        with reading(path):
            values = _plain(written)
        total += len(values)
        missing += values.null_count
        if missing:
            continue
        with reading(path):
            batches.append(_numbers(values, known))
    if missing and missing == total:
        return None
    if missing:
        raise DataError(f"{origin} lacks the label of some rows, {missing:,} of {total:,}")
    numbers = np.concatenate(batches) if batches else np.empty(0, np.int64)
    if known:
        return Labels(origin=origin, numbers=numbers, names=tuple(known), is_text=True)
    return Labels(origin=origin, numbers=numbers, names=names)


def _plain(values: Any) -> Any:
    """An Arrow array of values, where it may be a dictionary and indices into that."""
    from pyarrow import types

    return values.dictionary_decode() if types.is_dictionary(values.type) else values


def _numbers(values: Any, known: dict[str, int]) -> NDArray[np.integer]:
    """Labels as numbers: as they are, or else as the places of their texts in `known`, where new ones are added."""
    from pyarrow import types

    if types.is_integer(values.type):
        numbers: NDArray[np.integer] = values.to_numpy(zero_copy_only=False)
        return numbers
    texts = (str(one).lower() if isinstance(one, bool) else normal(one) for one in values.to_pylist())
    return np.array([known.setdefault(text, len(known)) for text in texts], dtype=np.int64)


def _class_names(path: Path, column: str) -> tuple[str, ...] | None:
    """The names of the classes, where the hub's libraries wrote them down."""
    names = _features(path, _schema(path)).get(column, {}).get("names")
    return tuple(map(str, names)) if isinstance(names, list) and names else None


def _schema(path: Path) -> Any:
    with opened(path) as file, reading(path):
        return file.schema_arrow


def _columns(schema: Any) -> str:
    return first_few((f"{column.name} ({str(column.type)[:40]})" for column in schema), 20) or "none"


def _features(path: Path, schema: Any) -> Mapping[str, Mapping[str, Any]]:
    """What the hub's libraries say about each column; nothing where they say nothing.

    Raises:
        DataError: what they say cannot be understood, so that names of classes may be lost.
    """
    if b"huggingface" not in (schema.metadata or {}):
        return {}
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        if all(isinstance(feature, dict | list) for feature in features.values()):
            return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except KeyError:
        return {}
    except (AttributeError, TypeError, ValueError, RecursionError):
        pass
    raise DataError(
        f"{path}: its description of the columns (the entry 'huggingface' of its metadata) cannot be understood; write "
        "the file anew, or without that entry"
    )


def _can_be_image(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return not {"bytes", "path"}.isdisjoint(_fields(kind))
    is_bytes = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(is_bytes or types.is_fixed_size_binary(kind)) or _is_text(kind)


def _fields(kind: Any) -> list[str]:
    """The names of the fields of a struct; none of any other type."""
    from pyarrow import types

    return [kind.field(index).name for index in range(kind.num_fields)] if types.is_struct(kind) else []


def _can_be_label(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_integer(kind) or types.is_boolean(kind)) or _is_text(kind)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A `pyarrow.parquet.ParquetFile` for the block; raises DataError where it is none."""
    file = _file(path)
    with reading(path), file:
        yield file


def _file(path: Path) -> Any:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        advice = "install it with pip install 'nas-convnets[parquet]'"
        raise DataError(f"{path}: Parquet files are read by pyarrow, which is not there; {advice}") from error
    require_regular(path)
    with reading(path):
        return ParquetFile(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors of pyarrow in the block as errors about the file at `path`."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # a damaged file leads pyarrow and its conversions anywhere
        if isinstance(error, OSError) and error.strerror is not None:
            raise cannot_read(path, error) from error
        reason = shown(" ".join(str(error).split()), 200)
        raise DataError(f"{path}: is no whole Parquet file ({reason}); make or download it again") from error


def stored_paths(path: Path, column: str) -> Iterator[str]:
    """The paths in a column of images where some may be stored by their path alone; raises DataError."""
    with opened(path) as file:
        kind = file.schema_arrow.field(column).type
        fields = _fields(kind)
        is_full = "bytes" in fields and _has_no_null(file.metadata, f"{column}.bytes")
    if is_full or not (_is_text(kind) or "path" in fields):
        return
    for values in _batches(path, f"{column}.path" if fields else column):
        with reading(path):
            every = values.to_pylist()
        stored = (value.get("path") if isinstance(value, dict) else value for value in every)
        yield from (one for one in stored if isinstance(one, str))


def _has_no_null(metadata: Any, leaf: str) -> bool:
    """Whether a column of single values says of itself that it has one in every row."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    columns = [group.column(index) for group in groups for index in range(group.num_columns)]
    known = [column.statistics for column in columns if column.path_in_schema == leaf]
    return bool(known) and all(one is not None and one.has_null_count and one.null_count == 0 for one in known)


def _batches(path: Path, column: str, *, rows: int = 65536) -> Iterator[Any]:
    with opened(path) as file:
        for batch in file.iter_batches(batch_size=rows, columns=[column], use_threads=False):
            yield batch.column(0)


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
    file = _file(path)
    with reading(path):
        rows = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        return file, np.cumsum([0, *rows[:-1]], dtype=np.int64)
