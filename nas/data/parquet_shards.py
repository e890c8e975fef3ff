"""Which Parquet files are of which part, by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nas.data.files import below, first_few
from nas.data.parts import EXTRA, TEST, TRAIN, UNDIVIDED, VALIDATION, VOCABULARY, part_of, words_of
from nas.errors import DataError

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
        part = _checked_part(path.parent, PurePosixPath(path.name)) if by_name else UNDIVIDED
        return Shards({part: [path]}, [], ())
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
