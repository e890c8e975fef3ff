"""Where points near a budget come from: the table of a space or, where its parts cannot be listed, walks."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture
from nas.cost import Budget
from nas.errors import UserError
from nas.layers import Site, Spec
from nas.space.askers import drawing, replaying
from nas.space.feasible.count import PathCount, TooLargeError
from nas.space.feasible.draw import BandSampler, ends
from nas.space.feasible.fingerprints import digest
from nas.space.feasible.network_table import NetworkTable, Points, Priced
from nas.space.feasible.pricing import COSTS, costs_of
from nas.space.feasible.rows import NOT_ASKED, Codes, Coding
from nas.space.feasible.trellis import Trellis
from nas.space.root import Root
from nas.task import Task


class Nearest(NamedTuple):
    """The costs next to an empty budget on one metric: below it, above it, or both."""

    metric: str
    costs: Sequence[int]


class Batch(Protocol):
    """Some points, in the form in which a source has them."""

    def some(self, which: Any) -> Self:
        """Those of an index or a mask."""


B = TypeVar("B", bound=Batch)


class Prices(Protocol[B]):
    """What points cost, and their rows."""

    def price(self, points: B) -> Priced:
        """What they cost, and whether they are networks."""

    def keys(self, points: B) -> NDArray[np.uint64]:
        """A fingerprint of each architecture."""

    def find(self, codes: Codes) -> B:
        """The points of rows (n, decisions)."""

    def write(self, points: B) -> Codes:
        """The rows (n, decisions) of points."""


class Source(ABC, Generic[B]):
    """Draws from the points of a space that are near a budget.

    Attributes:
        prices: their exact costs.
        is_empty: whether nothing is near the budget.
        patience: draws in a row without one within budget before there is none.
        estimated: draws behind an estimate.
        largest_batch: draws at a time.
    """

    prices: Prices[B]
    is_empty: bool
    patience: int
    estimated: int
    largest_batch: int

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> B:
        """`n` independent points, where there are any."""

    @abstractmethod
    def stands_for(self, batch: B) -> NDArray[np.float64]:
        """How many points each point of a drawn batch stands for: one divided by the probability that it was drawn."""

    def count(self) -> int | None:
        """The exact number of points within budget, where it can be had."""
        return None

    def nearest(self) -> Nearest | None:
        """What is next to an empty budget, where it can be had exactly."""
        return None

    def ends(self, metric: str) -> tuple[int, int] | None:
        """The smallest and the largest value of a metric, budget or not, where they can be had exactly."""
        return None


class Tabled(Source[Points]):
    """Points by table: a microsecond to price, ten to draw."""

    patience = 100_000
    estimated = 20_000
    largest_batch = 16_384

    def __init__(self, table: NetworkTable, budget: Budget, points: int) -> None:
        """Count what is near the budget, a bound at a time; draws are from the bound that leaves the least.

        Args:
            table: the space.
            budget: what they should be near.
            points: how many the space has.
        """
        self.prices = self._table = table
        self._points = points
        trellises = [(Trellis(table, one.metric), int(one.low), int(one.high)) for one in budget.bounds]
        binding = [one for one in trellises if not _always_holds(*one)] or [(Trellis(table, None), 0, 0)]
        near = [BandSampler(*one) for one in binding]
        self._sampler = min(near, key=lambda one: one.count)
        self._bounds = binding
        self.is_empty = self._sampler.count == 0

    def stands_for(self, batch: Points) -> NDArray[np.float64]:
        """All the same: draws are uniform."""
        return np.full(len(batch.stem), self._sampler.count)

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        """From all whose rounded cost is in the band."""
        return self._sampler.draw(n, rng)

    def count(self) -> int | None:
        """From the trellis; None where several bounds matter, and where there are too many distinct costs."""
        (trellis, low, high), *others = self._bounds
        with suppress(TooLargeError):
            return None if others else PathCount(trellis, self._points, most=high).count(low, high)
        return None

    def nearest(self) -> Nearest | None:
        """From the trellis, in the same cases."""
        (trellis, low, high), *others = self._bounds
        if others or trellis.metric is None:
            return None
        with suppress(TooLargeError):
            return Nearest(COSTS[trellis.metric], PathCount(trellis, self._points).beside(low, high))
        return None

    def ends(self, metric: str) -> tuple[int, int] | None:
        """From the trellis of the metric."""
        return ends(Trellis(self._table, metric))


def _always_holds(trellis: Trellis, low: int, high: int) -> bool:
    smallest, largest = ends(trellis)
    return low <= smallest and largest <= high


class Rows(NamedTuple):
    """Points as their rows (n, decisions)."""

    codes: Codes

    def some(self, which: Any) -> Rows:
        """Those of an index or a mask."""
        return Rows(self.codes[which])


class Walked(Source[Rows]):
    """Points by walking the space: for those whose decisions are coupled too much for tables; half a millisecond."""

    patience = 20_000
    estimated = 2_000
    largest_batch = 256
    is_empty = False

    def __init__(self, root: Root, task: Task, coding: Coding) -> None:
        """Nothing is walked yet."""
        self.prices = _WalkedPrices(root, task, coding)
        self._root = root
        self._coding = coding
        self._options = np.array([len(one) for one in coding.dimensions.values()], float)

    def stands_for(self, batch: Rows) -> NDArray[np.float64]:
        """The product of the numbers of options of what was asked."""
        return np.asarray(np.where(batch.codes == NOT_ASKED, 1.0, self._options).prod(axis=1))

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Uniform answers: points behind an answer that opens more questions than others are less likely."""
        draw = drawing(random.Random(int(rng.integers(1 << 62))))
        return Rows(np.stack([self._coding.encode(self._root.answers(draw)) for _ in range(n)]))


class _WalkedPrices:
    """Prices row by row; a part that was priced once is not priced again."""

    def __init__(self, root: Root, task: Task, coding: Coding) -> None:
        self._root = root
        self._task = task
        self._coding = coding
        self._parts: dict[tuple[Spec, Site], tuple[int, ...]] = {}

    def price(self, points: Rows) -> Priced:
        costs, valid = np.zeros((len(points.codes), len(COSTS)), np.int64), np.ones(len(points.codes), bool)
        for index, row in enumerate(points.codes):
            try:
                costs[index] = self._cost(self._architecture(row))
            except UserError:
                valid[index] = False
        return Priced(costs, valid)

    def keys(self, points: Rows) -> NDArray[np.uint64]:
        return np.array([digest(self._architecture(row).id) for row in points.codes], np.uint64)

    def find(self, codes: Codes) -> Rows:
        return Rows(codes)

    def write(self, points: Rows) -> Codes:
        return points.codes

    def _architecture(self, row: Codes) -> Architecture:
        return self._root.build(replaying(self._coding.decode(row), self._coding.dimensions))

    def _cost(self, architecture: Architecture) -> NDArray[np.int64]:
        total = np.zeros(len(COSTS), np.int64)
        for part in architecture.parts(architecture.task_of(self._task)):
            if (part.spec, part.site) not in self._parts:
                self._parts[part.spec, part.site] = costs_of(part.spec, part.site)
            total += np.array(self._parts[part.spec, part.site], np.int64) * part.times
        return total
