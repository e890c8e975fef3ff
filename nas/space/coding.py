"""Answers as rows of whole numbers, so that a hundred thousand points are one matrix."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from nas.errors import UserError
from nas.registry import did_you_mean
from nas.schema.fields import shown
from nas.space.dimension import Dimension, Value
from nas.space.options import NOT_ASKED, Answers

Codes = NDArray[np.int16]
"""Points (n, decisions): the index of each answer in its dimension, NOT_ASKED where a walk does not ask."""


class Coding:
    """One column for each question a walk may ask, in the order of `SearchSpace.dimensions()`."""

    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        """The columns are in the order of `dimensions`."""
        self.dimensions = dict(dimensions)
        self.names = tuple(dimensions)
        self.columns = {name: column for column, name in enumerate(self.names)}

    def encode(self, answers: Mapping[str, Value]) -> Codes:
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

    def decode(self, row: NDArray[np.integer]) -> dict[str, Value]:
        """The answers of a row; the inverse of `encode`."""
        return {
            name: self.dimensions[name].values[code]
            for name, code in zip(self.names, row.tolist(), strict=True)
            if code != NOT_ASKED
        }

    def table(self, answers: Answers) -> Table:
        """A table of sets of answers."""
        return Table(np.array([self.columns[name] for name in answers.names], np.intp), answers.codes)


class Table:
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


def weights(count: int) -> NDArray[np.int64]:
    """Odd 64-bit numbers, the same in every process."""
    return np.array([digest(("weight", index)) | 1 for index in range(count)], np.uint64).astype(np.int64)


def scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result depends on every bit of the value (the finaliser of splitmix64, public domain)."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def digest(value: object) -> int:
    """A 64-bit number from the text of a plain value, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest(), "little")


def total(keys: Iterable[int]) -> int:
    """The sum of 64-bit keys, modulo 2**64."""
    return sum(keys) & 0xFFFFFFFFFFFFFFFF
