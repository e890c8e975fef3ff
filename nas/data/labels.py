"""Labels as a source writes them, and the classes they mean.

Every label means a class by its *name*: the text that it is, the name that its file gives the number, or, where no file
names any, the number itself. So two files may number the same classes differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.files import first_few, shown
from nas.data.parts import normal
from nas.errors import DataError
from nas.units import plural


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """The labels of one file or array.

    Attributes:
        origin: where they are, for messages.
        numbers: whole numbers, (N,).
        names: of the classes that the numbers mean, the first for 0; None where none are given.
        is_text: whether the source writes the names themselves, so that their order means nothing.
    """

    origin: str
    numbers: NDArray[np.integer]
    names: tuple[str, ...] | None = None
    is_text: bool = False

    def __post_init__(self) -> None:
        if "" in (self.names or ()):
            raise DataError(f"{self.origin}: has an empty text in place of a class's name; name that class")
        counts = Counter(map(normal, self.names or ()))
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise DataError(f"{self.origin}: two classes are called {shown(twice)!r}; give each a name of its own")

    @classmethod
    def of_text(cls, origin: str, values: Iterable[str]) -> Labels:
        """Labels that are names."""
        known: dict[str, int] = {}
        numbers = np.fromiter((known.setdefault(normal(value), len(known)) for value in values), dtype=np.int64)
        return cls(origin=origin, numbers=numbers, names=tuple(known), is_text=True)


WITHHELD = -1
"""What stands in place of every label of a part that has had them taken out, as the hub's ImageNet test split."""


def is_withheld(numbers: NDArray[Any]) -> bool:
    """Whether a part has images and no labels."""
    return numbers.dtype.kind == "i" and len(numbers) > 0 and bool((numbers == WITHHELD).all())


class Numbered(NamedTuple):
    """The classes of a source, and the labels of all its files as their numbers.

    Attributes:
        classes: their names.
        labels: int64, (N,).
        remarks: what a user should know, in sentences.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    remarks: tuple[str, ...]


def numbered(source: Path, files: Sequence[Labels]) -> Numbered:
    """Number the classes that have images: in the order of the first file that names them, else sorted.

    Args:
        source: for messages.
        files: in order, that of the training images first.

    Raises:
        DataError: there are no labels, a number is beyond the names or absurd, or only some files name their classes.
    """
    files = [file for file in files if len(file.numbers)]
    if not files:
        raise DataError(f"{source}: there are no labelled images")
    named = [file for file in files if file.names is not None]
    plain = [file for file in files if file.names is None]
    if named and plain:
        raise DataError(
            f"{plain[0].origin}: numbers classes without naming them, and {named[0].origin} names them; name them "
            "in both"
        )
    return _by_name(named) if named else _by_number(plain)


def _by_number(files: Sequence[Labels]) -> Numbered:
    total = sum(len(file.numbers) for file in files)
    for file in files:
        low, high = int(file.numbers.min()), int(file.numbers.max())
        if low < 0:
            raise DataError(f"{file.origin}: has labels below 0, such as {low:,}")
        if high > total:  # before anything is made of that many classes; one more than necessary, for 1 to N
            raise DataError(
                f"{file.origin}: has a label {high:,}, and there are only {plural(total, 'image')}; number the classes "
                "from 0 on, or name them"
            )
    found = np.unique(np.concatenate([np.unique(file.numbers).astype(np.int64) for file in files]))
    labels = np.concatenate([np.searchsorted(found, file.numbers.astype(np.int64)) for file in files])
    remarks = []
    if found[0] > 0:
        remarks.append(f"labels begin at {found[0]}, not at 0; classes are called by the numbers as they are")
    missing = np.setdiff1d(np.arange(found[0], found[-1]), found)
    if len(missing):
        remarks.append(f"no image has the label {first_few(map(str, missing.tolist()))}, so that is no class")
    return Numbered(tuple(map(str, found.tolist())), labels.astype(np.int64), tuple(remarks))


def _by_name(files: Sequence[Labels]) -> Numbered:
    remarks = []
    first = _first_numbers(files)
    if any(first.values()):
        remarks.append("labels begin at 1, not at 0: 1 means the first of the named classes")
    declared = {normal(name): name for file in files if not file.is_text for name in file.names or ()}
    written = {normal(name): name for file in files if file.is_text for name in sorted(file.names or (), reverse=True)}
    order = [*declared, *sorted(set(written) - set(declared))]
    places = {name: place for place, name in enumerate(order)}
    parts = []
    for file in files:
        names = file.names or ()
        lookup = np.array([places[normal(name)] for name in names], dtype=np.int64)
        parts.append(lookup[file.numbers.astype(np.int64) - first[names, file.is_text]])
    joined = np.concatenate(parts)
    used, labels = np.unique(joined, return_inverse=True)
    spelled = {**written, **declared}
    if len({file.names for file in files if not file.is_text}) > 1:
        remarks.append("files number their classes differently; they are taken by name")
    if len(used) < len(order):
        has_images = set(used.tolist())
        empty = [spelled[name] for place, name in enumerate(order) if place not in has_images]
        remarks.append(f"{len(empty):,} of the named classes left out, since no image is of them: {first_few(empty)}")
    return Numbered(tuple(spelled[order[place]] for place in used.tolist()), labels.astype(np.int64), tuple(remarks))


def _first_numbers(files: Sequence[Labels]) -> dict[tuple[tuple[str, ...], bool], int]:
    """0 or 1 for each list of names: what number means the first of them.

    Numbers begin at 1 where that is the only way that all of them have names.
    """
    groups: dict[tuple[tuple[str, ...], bool], list[Labels]] = {}
    for file in files:
        groups.setdefault((file.names or (), file.is_text), []).append(file)
    first = {}
    for key, members in groups.items():
        count = len(key[0])
        low = min(int(file.numbers.min()) for file in members)
        high = max(int(file.numbers.max()) for file in members)
        if low < 0 or high > count or (high == count and low == 0):
            worst = next(file for file in members if file.numbers.min() < 0 or file.numbers.max() >= count)
            reach = f"{int(worst.numbers.min()):,} to {int(worst.numbers.max()):,}"
            raise DataError(
                f"{worst.origin}: has labels from {reach}; none may be below 0, and there must"
                f" be a name for each of the {high + 1:,} classes, not only for {count:,}"
            )
        first[key] = int(high == count)
    return first
