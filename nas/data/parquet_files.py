"""Parquet files as on the Hugging Face hub: which are of which part, which column is what, and the rows of a column."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.files import FileError, below, cannot_read, first_few, require_regular, shown
from nas.data.labels import Labels
from nas.data.parts import EXTRA, TEST, TRAIN, UNDIVIDED, VALIDATION, VOCABULARY, normal, part_of, words_of
from nas.errors import DataError

_IMAGE_NAMES = ("image", "img", "images", "image_path", "file_name", "path")
_LABEL_NAMES = ("label", "labels", "target", "class", "y")
_KEPT_BYTES = 2**27
_OPEN_FILES = 32
_SUFFIX = ".parquet"
_OTHER_FORMATS = frozenset(
    [
        *(".arrow", ".avro", ".csv", ".feather", ".gz", ".h5", ".hdf5", ".json", ".jsonl", ".npz", ".orc", ".parq"),
        *(".pq", ".tar", ".tsv", ".zip"),
    ]
)
"""Files that may hold a part in another form."""
_HEX = re.compile(r"[0-9a-f]{4,}")

ORDER = (TRAIN, VALIDATION, TEST, EXTRA, UNDIVIDED)


class Shards(NamedTuple):
    """The files of a data set.

    Attributes:
        parts: files of each part, sorted.
        left_out: what is beside them and was not understood.
        remarks: what a user should know, in sentences.
    """

    parts: dict[str, list[Path]]
    left_out: list[Path]
    remarks: tuple[str, ...]


def shards_of(path: Path, *, by_name: bool, skip_unknown: bool) -> Shards:
    """The files at a path by the part that their names, or those of their folders, say.

    Args:
        path: of a file, or a folder.
        by_name: whether names say parts; if not, all files are one undivided set.
        skip_unknown: leave out files that are not understood beside known parts; refuse them otherwise.

    Raises:
        DataError: there is none, only some are of a part, or they are of several data sets.
    """
    if not path.is_dir():
        part = _part_of(PurePosixPath(path.name)) if by_name else None
        return Shards({part or UNDIVIDED: [path]}, [], ())
    found = below(path, skip_circles=True).files
    files = [PurePosixPath(name) for name in found if name.lower().endswith(_SUFFIX)]
    if not files:
        raise DataError(f"{path}: no {_SUFFIX} file there")
    if not by_name:
        return Shards({UNDIVIDED: [path / file for file in files]}, [], ())
    parts: dict[str, list[PurePosixPath]] = {}
    for file in files:
        parts.setdefault(_checked_part(path, file), []).append(file)
    unknown = parts.pop(UNDIVIDED, []) if len(parts) > 1 else []
    if set(parts) != {UNDIVIDED}:
        others = [PurePosixPath(name) for name in found if PurePosixPath(name).suffix.lower() in _OTHER_FORMATS]
        unknown += [file for file in others if _says_part(file)]
    if unknown and not skip_unknown:
        raise DataError(
            f"{path / unknown[0]}: its name says no part to read, and others' do ({VOCABULARY}, in the name "
            "of a Parquet file or of its folder); rename it or move it elsewhere, have such files left out with the "
            "option '?unknown=skip', or take all as one undivided set with '?parts=no'"
        )
    homes = sorted({str(_home(file)) for some in parts.values() for file in some})
    if len(homes) > 1:
        raise DataError(f"{path}: several data sets ({first_few(homes)}); name one of the folders")
    remarks = _pooled(path, parts)
    if unknown:
        remarks += (f"{len(unknown):,} left out (not understood): {first_few(map(str, unknown))}",)
    ordered = {part: [path / file for file in parts[part]] for part in ORDER if part in parts}
    return Shards(ordered, [path / file for file in unknown], remarks)


def _checked_part(path: Path, file: PurePosixPath) -> str:
    try:
        return _part_of(file) or UNDIVIDED
    except DataError as error:
        raise DataError(f"{path / file}: {error}, or take all files as one undivided set with '?parts=no'") from error


def _part_of(file: PurePosixPath) -> str | None:
    """The part that the names of a file and of the folders around it say; raises DataError where they disagree."""
    own = part_of(file.stem)
    around = [part for folder in file.parts[:-1] if (part := part_of(folder))]
    said = dict.fromkeys([*around, *([own] if own else [])])
    if len(said) > 1:
        raise DataError(
            f"the names say {' and '.join(said)} at once; rename one, or name the folder in which only one is said"
        )
    return next(iter(said), None)


def _says_part(file: PurePosixPath) -> bool:
    try:
        return _part_of(file) is not None
    except DataError:
        return True


def _home(file: PurePosixPath) -> PurePosixPath:
    """The folder of a file, without those that are named after its part."""
    return PurePosixPath(*(folder for folder in file.parts[:-1] if part_of(folder) is None))


def _pooled(path: Path, parts: Mapping[str, Sequence[PurePosixPath]]) -> tuple[str, ...]:
    """What to say where a part has files of different names, beyond numbers and hashes of shards.

    Raises:
        DataError: the files of an undivided set have, so that it is not clear that they are one.
    """
    remarks = []
    for part, files in parts.items():
        kinds = {tuple(_words(file.stem)): file for file in files}
        if len(kinds) > 1 and part == UNDIVIDED:
            raise DataError(
                f"{path}: {first_few(map(str, kinds.values()))} say no part ({VOCABULARY}) by their names; name one of "
                "them, or take all as one undivided set with the option '?parts=no'"
            )
        if len(kinds) > 1:
            remarks.append(f"{part} is read from several files: {first_few(map(str, kinds.values()))}")
    return tuple(remarks)


def _words(stem: str) -> list[str]:
    """The words of a file's name that are no number and no hash of a shard."""
    tokens = [
        token for token in re.split(r"[-._ ]", stem) if not (any(map(str.isdigit, token)) or _HEX.fullmatch(token))
    ]
    return [word for token in tokens for word in words_of(token)]


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
        return any(kind.field(index).name in ("bytes", "path") for index in range(kind.num_fields))
    is_bytes = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(is_bytes or types.is_fixed_size_binary(kind)) or _is_text(kind)


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
    except OSError as error:
        if error.strerror is None:  # pyarrow's own, about the content
            raise FileError(path, f"is no whole Parquet file ({shown(error, 200)})") from error
        raise cannot_read(path, error) from error
    except Exception as error:  # a damaged file leads pyarrow and its conversions anywhere
        raise FileError(path, f"is no whole Parquet file ({shown(error, 200)})") from error


def read_column(path: Path, column: str, *, rows: int = 65536) -> Iterator[list[Any]]:
    """The values of a column, so many rows at a time, as Python has them; raises DataError."""
    for values in _batches(path, column, rows=rows):
        with reading(path):
            yield values.to_pylist()


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
