"""Where candidates for a budget come from: the tables of a space or, where its parts cannot be listed, walks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture
from nas.cost import Budget
from nas.errors import UserError
from nas.layers import Site, Spec
from nas.space.askers import drawing, replaying
from nas.space.coding import Codes, Coding, digest
from nas.space.lattice import Lattice
from nas.space.lots import COSTS, costs_of
from nas.space.options import NOT_ASKED
from nas.space.proposals import Proposals, ends
from nas.space.space import SearchSpace
from nas.space.tables import Points, Priced, SpaceTables
from nas.space.tallying import Tally, TooLargeError
from nas.task import Task


class Candidates(Protocol):
    """Some points, in the form in which a source has them."""

    def some(self, which: Any) -> Self:
        """Those of an index or a mask."""


C = TypeVar("C", bound=Candidates)


class Source(Protocol[C]):
    """Draws from the points of a space that are near a budget, and their exact costs."""

    is_empty: bool
    """Whether nothing is near the budget."""

    patience: int
    """Draws in a row without one within budget before there is none."""

    largest_batch: int
    """Draws at a time."""

    def draw(self, n: int, rng: np.random.Generator) -> C:
        """`n` independent candidates, where there are any."""

    def stands_for(self, candidates: C) -> NDArray[np.float64]:
        """How many points each drawn candidate stands for: one divided by the probability that it was drawn."""

    def price(self, candidates: C) -> Priced:
        """What they cost, and whether they are networks."""

    def keys(self, candidates: C) -> NDArray[np.uint64]:
        """A fingerprint of each architecture."""

    def find(self, codes: Codes) -> C:
        """The candidates of rows (n, decisions)."""

    def write(self, candidates: C) -> Codes:
        """The rows (n, decisions) of candidates."""

    def count(self) -> int | None:
        """The exact number of points within budget, where it can be had."""

    def nearest(self) -> Sequence[int] | None:
        """The exact costs next to an empty budget on one metric, below and above it, where they can be had."""


class Tabled:
    """Candidates by table: a microsecond to price, ten to draw."""

    patience = 100_000
    largest_batch = 16_384

    def __init__(self, tables: SpaceTables, budget: Budget, points: int) -> None:
        """Count what is near the budget, a bound at a time; draws are from the bound that leaves the least.

        Args:
            tables: the space.
            budget: what candidates should be near.
            points: how many the space has.
        """
        self._tables = tables
        self._points = points
        lattices = [(Lattice(tables, bound.metric), bound.low, bound.high) for bound in budget.bounds]
        binding = [one for one in lattices if not _always_holds(*one)] or [(Lattice(tables, None), 0, 0)]
        near = [Proposals(*one) for one in binding]
        self._proposals = min(near, key=lambda one: one.count)
        self._bounds = binding
        self.is_empty = self._proposals.count == 0

    def stands_for(self, candidates: Points) -> NDArray[np.float64]:
        """All the same: draws are uniform."""
        return np.full(len(candidates.stem), self._proposals.count)

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        """From all whose rounded cost is in the band."""
        return self._proposals.draw(n, rng)

    def price(self, candidates: Points) -> Priced:
        """By look-ups."""
        return self._tables.price(candidates)

    def keys(self, candidates: Points) -> NDArray[np.uint64]:
        """From the fingerprints of the parts."""
        return self._tables.keys(candidates)

    def find(self, codes: Codes) -> Points:
        """The parts of each row."""
        return self._tables.find(codes)

    def write(self, candidates: Points) -> Codes:
        """The rows."""
        return self._tables.write(candidates)

    def count(self) -> int | None:
        """From the lattice; None where several bounds matter, and where there are too many distinct costs."""
        (lattice, low, high), *others = self._bounds
        with suppress(TooLargeError):
            return None if others else Tally(lattice, self._points, most=high).count(low, high)
        return None

    def nearest(self) -> Sequence[int] | None:
        """From the lattice, in the same cases."""
        (lattice, low, high), *others = self._bounds
        with suppress(TooLargeError):
            return None if others else Tally(lattice, self._points).beside(low, high)
        return None


def _always_holds(lattice: Lattice, low: int, high: int) -> bool:
    smallest, largest = ends(lattice)
    return low <= smallest and largest <= high


class Rows(NamedTuple):
    """Candidates as their rows (n, decisions)."""

    codes: Codes

    def some(self, which: Any) -> Rows:
        """Those of an index or a mask."""
        return Rows(self.codes[which])


class Walked:
    """Candidates by walking the space: for those whose decisions are coupled too much for tables; half a millisecond.

    A part that was priced once is not priced again.
    """

    patience = 2_000
    largest_batch = 256

    def __init__(self, space: SearchSpace, task: Task, coding: Coding) -> None:
        """Nothing is walked yet."""
        self._space = space
        self._task = task
        self._coding = coding
        self._parts: dict[tuple[Spec, Site], tuple[int, ...]] = {}
        self._options = np.array([len(one) for one in coding.dimensions.values()], float)
        self.is_empty = False

    def stands_for(self, candidates: Rows) -> NDArray[np.float64]:
        """The product of the numbers of options of what was asked."""
        return np.asarray(np.where(candidates.codes == NOT_ASKED, 1.0, self._options).prod(axis=1))

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Uniform answers: points behind an answer that opens more questions than others are less likely."""
        draw = drawing(random.Random(int(rng.integers(1 << 62))))
        return Rows(np.stack([self._coding.encode(self._space.answers(draw)) for _ in range(n)]))

    def price(self, candidates: Rows) -> Priced:
        """Row by row."""
        costs, valid = np.zeros((len(candidates.codes), len(COSTS)), np.int64), np.ones(len(candidates.codes), bool)
        for index, row in enumerate(candidates.codes):
            try:
                costs[index] = self._cost(self._architecture(row))
            except UserError:
                valid[index] = False
        return Priced(costs, valid)

    def keys(self, candidates: Rows) -> NDArray[np.uint64]:
        """From the ids."""
        return np.array([digest(self._architecture(row).id) for row in candidates.codes], np.uint64)

    def find(self, codes: Codes) -> Rows:
        """The rows themselves."""
        return Rows(codes)

    def write(self, candidates: Rows) -> Codes:
        """The rows themselves."""
        return candidates.codes

    def count(self) -> int | None:
        """None."""
        return None

    def nearest(self) -> Sequence[int] | None:
        """None."""
        return None

    def _architecture(self, row: Codes) -> Architecture:
        return self._space.build(replaying(self._coding.decode(row), self._coding.dimensions))

    def _cost(self, architecture: Architecture) -> NDArray[np.int64]:
        total = np.zeros(len(COSTS), np.int64)
        for part in architecture.parts(self._task):
            if (part.spec, part.site) not in self._parts:
                self._parts[part.spec, part.site] = costs_of(part.spec, part.site)
            total += np.array(self._parts[part.spec, part.site], np.int64) * part.times
        return total
