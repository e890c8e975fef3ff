"""AnswerSets as rows of whole numbers, so that a hundred thousand points are one matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.errors import UserError
from nas.registry import did_you_mean
from nas.schema.fields import shown
from nas.space.dimension import Answers, Dimension, Value
from nas.space.feasible.fingerprints import weights

NOT_ASKED = -1
"""Stands in a row where a walk does not ask."""

Codes = NDArray[np.int16]
"""Points (n, decisions): the index of each answer in its dimension, NOT_ASKED where a walk does not ask."""

Row = NDArray[np.int16]
"""One point (decisions,)."""


class AnswerSets(NamedTuple):
    """Sets of answers as codes: the index of each answer, NOT_ASKED where a set has none.

    Attributes:
        names: the decisions.
        codes: one row a set, (sets, names).
    """

    names: tuple[str, ...]
    codes: NDArray[np.int16]


def answers_of(rows: Sequence[Mapping[str, int]]) -> AnswerSets:
    """Sets of answers that are mappings from name to code."""
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    codes = [[row.get(name, NOT_ASKED) for name in names] for row in rows]
    return AnswerSets(names, np.array(codes, np.int16).reshape(len(rows), len(names)))


def combined(parts: Sequence[AnswerSets]) -> AnswerSets:
    """Every combination of sets of answers to different questions, the last part's varying fastest."""
    sizes = [len(part.codes) for part in parts]
    count = math.prod(sizes)
    columns = [np.zeros((count, 0), np.int16)]
    before = 1
    for part, size in zip(parts, sizes, strict=True):
        before *= max(1, size)
        columns.append(np.tile(np.repeat(part.codes, count // before, axis=0), (before // max(1, size), 1)))
    return AnswerSets(tuple(name for part in parts for name in part.names), np.concatenate(columns, axis=1))


def stacked(parts: Sequence[AnswerSets]) -> AnswerSets:
    """All sets one after the other; what one does not ask is NOT_ASKED in it."""
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    codes = np.full((sum(len(part.codes) for part in parts), len(names)), NOT_ASKED, np.int16)
    start = 0
    for part in parts:
        codes[start : start + len(part.codes), [names.index(name) for name in part.names]] = part.codes
        start += len(part.codes)
    return AnswerSets(names, codes)


class Coding:
    """One column for each question a walk may ask, in the order of `Root.dimensions()`."""

    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        """The columns are in the order of `dimensions`."""
        self.dimensions = dict(dimensions)
        self.names = tuple(dimensions)
        self.columns = {name: column for column, name in enumerate(self.names)}

    def encode(self, answers: Mapping[str, Value]) -> Row:
        """The row (decisions,) of a set of answers.

        Raises:
            UserError: an answer to no question of the space, or one that its question does not allow.
        """
        row = np.full(len(self.names), NOT_ASKED, np.int16)
        for name, value in answers.items():
            if name not in self.columns:
                raise UserError(f"{name!r} is no decision of this space; {did_you_mean(name, self.names)}")
            try:
                row[self.columns[name]] = self.dimensions[name].index(value)
            except ValueError:
                raise UserError(f"{name!r} cannot be {shown(value)} in this space") from None
        return row

    def decode(self, row: NDArray[np.integer]) -> Answers:
        """The answers of a row; the inverse of `encode`."""
        return {
            name: self.dimensions[name].values[code]
            for name, code in zip(self.names, row.tolist(), strict=True)
            if code != NOT_ASKED
        }

    def table(self, answers: AnswerSets) -> AnswerTable:
        """A table of sets of answers."""
        return AnswerTable(np.array([self.columns[name] for name in answers.names], np.intp), answers.codes)


class AnswerTable:
    """The codes of every option of one part: the columns it asks, and how to find an option by them.

    Attributes:
        columns: the columns of the space that the part asks, (d,).
        codes: one row an option, (options, d).
    """

    def __init__(self, columns: NDArray[np.intp], codes: Codes) -> None:
        """Index the options by their codes."""
        self.columns = columns
        self.codes = codes
        self._weights = weights(len(columns))
        hashes = self._hashes(codes)
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    def find(self, points: Codes) -> NDArray[np.intp]:
        """The option of each point (n, decisions), -1 where its codes are no option."""
        if not len(self._sorted):
            return np.full(len(points), -1, np.intp)
        hashes = self._hashes(points[:, self.columns])
        places = np.minimum(np.searchsorted(self._sorted, hashes), len(self._sorted) - 1)
        return np.where(self._sorted[places] == hashes, self._order[places], -1)

    def write(self, points: Codes, options: NDArray[np.integer]) -> None:
        """Write the codes of one option a point into `points`; what is asked by several parts has one answer."""
        points[:, self.columns] = np.maximum(points[:, self.columns], self.codes[options])

    def _hashes(self, codes: Codes) -> NDArray[np.int64]:
        """64-bit fingerprints, linear in the codes: two options are the same with a chance of about 2**-56."""
        return np.asarray(codes.astype(np.int64) @ self._weights)
