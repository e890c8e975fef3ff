"""Tables of trained networks: what each one's accuracy and costs turned out to be."""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import DataError
from nas.registry import did_you_mean
from nas.search.bench.table_file import TableFile, data_file, read_table_file
from nas.space.dimension import Choice
from nas.space.feasible import NOT_ASKED, Codes

_MOST_OPTIONS = int(np.iinfo(np.int16).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Networks that somebody trained.

    Attributes:
        name: what reports call it.
        about: a sentence for people.
        dimensions: the decisions.
        codes: the networks (n, decisions).
        seen: accuracies (n, trainings) in [0, 1] of which a search sees one a network.
        true: accuracies (n,) in [0, 1] that count.
        costs: each metric (n,), the one to search against first.
        fingerprint: of all of it.
    """

    name: str
    about: str
    dimensions: Mapping[str, Choice]
    codes: Codes
    seen: NDArray[np.float64]
    true: NDArray[np.float64]
    costs: Mapping[str, NDArray[np.float64]]
    fingerprint: str

    def __len__(self) -> int:
        """Networks."""
        return len(self.true)

    @cached_property
    def row_of(self) -> dict[bytes, int]:
        """The index of a network by the bytes of its codes."""
        return {codes.tobytes(): index for index, codes in enumerate(self.codes)}

    @property
    def cost(self) -> str:
        """The metric to search against."""
        return next(iter(self.costs))


def read_table(path: Path, folder: Path | None = None) -> Table:
    """The table that a description (see `table_file`) tells of.

    Args:
        path: of the description.
        folder: where its CSV file is, if not beside it.

    Raises:
        SchemaError: the description has problems.
        DataError: the CSV file is missing, or does not hold what the description says.
    """
    description = read_table_file(path)
    source = data_file(description, path, folder)
    columns = _columns(source)
    needed = [*description.decisions, *description.seen, *(description.scored or ()), *description.costs]
    for name in needed:
        if name not in columns:
            raise DataError(f"{source}: there is no column {name!r}; {did_you_mean(name, columns)}")
    dimensions, codes = _decisions(description, columns, source)
    seen = np.stack([_numbers(columns[name], name, source) for name in description.seen], axis=1)
    true = np.stack([_numbers(columns[name], name, source) for name in description.scored or description.seen], axis=1)
    costs = {name: _numbers(columns[name], name, source) for name in description.costs}
    for name, cost in costs.items():
        _require(cost > 0, f"{name!r} is not above 0", source)
    scale = 100.0 if max(seen.max(), true.max()) > 1 else 1.0
    for values in (seen, true):
        low, high = values.min(axis=1), values.max(axis=1)
        _require((low >= 0) & (high <= scale), f"an accuracy is outside 0 to {scale:g}", source)
    _require_distinct(codes, source)
    mean = true.mean(axis=1)
    if not mean.max() > np.median(mean):
        raise DataError(f"{source}: no network is more accurate than half of them, so there is nothing to search for")
    return Table(
        name=description.name,
        about=description.about,
        dimensions=dimensions,
        codes=codes,
        seen=seen / scale,
        true=mean / scale,
        costs=costs,
        fingerprint=_fingerprint(codes, seen, true, *costs.values()),
    )


def _columns(source: Path) -> dict[str, Sequence[str]]:
    """The text of every cell, by column."""
    opened = gzip.open if source.suffix == ".gz" else open
    try:
        with opened(source, "rt", encoding="utf-8-sig", newline="") as stream:
            header, *rows = list(csv.reader(stream))
    except (OSError, EOFError, UnicodeError, csv.Error, zlib.error) as error:
        raise DataError(f"{source}: cannot be read as CSV: {error}") from None
    except ValueError:
        raise DataError(f"{source}: is empty; it needs a header and one line a network") from None
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(
            f"{source}: {len(twice)} names are those of several columns, such as {twice[0]!r}; name each once"
        )
    rows = [row for row in rows if row]
    if not rows:
        raise DataError(f"{source}: has a header and no networks")
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DataError(f"{source}:{line}: {len(row)} cells under {len(header)} columns")
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def _decisions(
    description: TableFile, columns: Mapping[str, Sequence[str]], source: Path
) -> tuple[dict[str, Choice], Codes]:
    """Every decision with its code for each network."""
    dimensions: dict[str, Choice] = {}
    codes: list[NDArray[np.int16]] = []
    for column, kind in description.decisions.items():
        cells = columns[column]
        parts = _characters(column, cells, source) if kind.endswith("characters") else {column: cells}
        for name, texts in parts.items():
            answers: Sequence[Any] = _ordered(texts, name, source) if kind.startswith("ordered") else texts
            options = sorted({answer for answer in answers if answer != ""})
            if not 0 < len(options) <= _MOST_OPTIONS:
                raise DataError(
                    f"{source}: {name!r} has {len(options):,} values; a decision has 1 to {_MOST_OPTIONS:,}"
                )
            places = {answer: place for place, answer in enumerate(options)} | {"": NOT_ASKED}
            dimensions[name] = Choice(tuple(options))
            codes.append(np.array([places[answer] for answer in answers], np.int16))
    if not codes:
        raise DataError(f"{source}: the first line has no characters where its decisions are")
    return dimensions, np.stack(codes, axis=1)


def _characters(column: str, cells: Sequence[str], source: Path) -> dict[str, Sequence[str]]:
    """One decision for each place of a text."""
    length = len(cells[0])
    for line, cell in enumerate(cells, start=2):
        if len(cell) != length:
            raise DataError(f"{source}:{line}: {column!r} has {len(cell)} characters, but {length} in the first line")
    return {f"{column}.{place}": [cell[place] for cell in cells] for place in range(length)}


def _ordered(cells: Sequence[str], name: str, source: Path) -> list[int | float | str]:
    """Numbers, whole ones as such; an empty cell stays one."""
    numbers = iter(_numbers([cell for cell in cells if cell], name, source))
    found = [float(next(numbers)) if cell else "" for cell in cells]
    return [int(one) if isinstance(one, float) and one.is_integer() else one for one in found]


def _numbers(cells: Sequence[str], name: str, source: Path) -> NDArray[np.float64]:
    try:
        values = np.array(cells, dtype=float)
    except ValueError:
        line, cell = next((line, cell) for line, cell in enumerate(cells, start=2) if not _is_number(cell))
        raise DataError(f"{source}:{line}: {name!r} must be a number, got {cell!r}") from None
    _require(np.isfinite(values), f"{name!r} must be a number", source)
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _require(holds: NDArray[np.bool_], problem: str, source: Path) -> None:
    if not holds.all():
        raise DataError(f"{source}:{int(np.argmin(holds)) + 2}: {problem}")


def _require_distinct(codes: Codes, source: Path) -> None:
    first: dict[bytes, int] = {}
    for line, row in enumerate(codes, start=2):
        before = first.setdefault(row.tobytes(), line)
        if before != line:
            raise DataError(
                f"{source}:{line}: has the decisions of line {before} again; put the trainings of one network in one "
                "line, in columns that 'seen' names"
            )


def _fingerprint(*arrays: NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
