"""The exact number of networks between two costs, without visiting them.

The lattice is summed from both ends to a stage in the middle: there, each crossing has the distinct costs of all that
leads to it and of all that follows on it, with how many networks have each. Two sorted lists are then counted against
each other by bisection.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.space.lattice import Lattice, Level

MOST_SUMS = 10_000_000
"""Sums of two costs that one stage may ask for; about a second. A space that needs more is not counted exactly."""

_SMALL = 1 << 62  # numbers of networks below this are 64-bit integers


class TooLargeError(Exception):
    """There are too many distinct costs."""


class Spectrum(NamedTuple):
    """Distinct costs, ascending, and how many networks have each: 64-bit integers, or Python's where these are few."""

    values: NDArray[np.int64]
    counts: NDArray[Any]

    def plus(self, other: Spectrum, shift: int = 0) -> Spectrum:
        """Every sum of two costs and a shift; not yet merged."""
        values = self.values[:, None] + (other.values + shift)
        return Spectrum(values.reshape(-1), np.multiply.outer(self.counts, other.counts).reshape(-1))


class Tally:
    """How many networks of a lattice have which cost."""

    def __init__(self, lattice: Lattice, networks: float, *, most: int | None = None) -> None:
        """Sum from both ends.

        Args:
            lattice: the graph for one metric, or for none.
            networks: about how many networks there are.
            most: dearer networks do not count.

        Raises:
            TooLargeError: more than `MOST_SUMS` at a stage.
        """
        self._type: Any = np.int64 if networks < _SMALL else object
        self._most = most
        levels = lattice.levels
        front = self._roots(lattice)
        back = [Spectrum(bag.values, bag.counts.astype(self._type)) for bag in lattice.heads]
        first, last = 0, len(levels)
        while first < last:
            ahead, behind = _sums_ahead(levels[first], front), _sums_behind(levels[last - 1], back)
            if min(ahead, behind) > (MOST_SUMS if self._type is np.int64 else MOST_SUMS // 10):
                raise TooLargeError
            if ahead < behind:
                crossings = len(levels[first + 1].crossings) if first + 1 < len(levels) else len(lattice.heads)
                front = self._ahead(levels[first], front, crossings)
                first += 1
            else:
                last -= 1
                back = self._behind(levels[last], back)
        self._pairs = [(a, b) for a, b in zip(front, back, strict=True) if len(a.values) and len(b.values)]

    def count(self, low: int, high: int) -> int:
        """The number of networks that cost from `low` to `high`, both included."""
        found = 0
        for front, back in self._pairs:
            up_to = np.concatenate([np.zeros(1, self._type), np.cumsum(back.counts)])
            until = np.searchsorted(back.values, high - front.values, side="right")
            since = np.searchsorted(back.values, low - front.values, side="left")
            ways = (up_to[until] - up_to[np.minimum(since, until)]) * front.counts
            found += int(ways.sum())
        return found

    def beside(self, low: int, high: int) -> list[int]:
        """The largest cost under `low` and the smallest over `high`; one of them where there is no other."""
        under, over = [], []
        for front, back in self._pairs:
            place = np.searchsorted(back.values, low - front.values, side="left") - 1
            under += (front.values + back.values[place])[place >= 0].tolist()
            place = np.searchsorted(back.values, high - front.values, side="right")
            there = place < len(back.values)
            over += (front.values[there] + back.values[place[there]]).tolist()
        return ([max(under)] if under else []) + ([min(over)] if over else [])

    def _roots(self, lattice: Lattice) -> list[Spectrum]:
        counts = [0] * len(lattice.levels[0].crossings)
        for crossing in lattice.levels[0].crossing_of.values():
            counts[crossing] += 1
        return [Spectrum(np.zeros(1, np.int64), np.array([count], self._type)) for count in counts]

    def _bags(self, level: Level) -> list[Spectrum]:
        return [Spectrum(bag.values, bag.counts.astype(self._type)) for bag in level.bags]

    def _behind(self, level: Level, back: list[Spectrum]) -> list[Spectrum]:
        """What follows on each crossing into a stage, given what follows on the stage."""
        bags = self._bags(level)
        nodes = [self._merged([bags[node.bag].plus(back[node.crossing])]) for node in level.nodes]
        return [
            self._merged(
                Spectrum(nodes[node].values + shift, nodes[node].counts)
                for shift, node in zip(crossing.shifts, crossing.nodes, strict=True)
            )
            for crossing in level.crossings
        ]

    def _ahead(self, level: Level, front: list[Spectrum], crossings: int) -> list[Spectrum]:
        """What leads to each crossing after a stage, given what leads to it."""
        bags = self._bags(level)
        entering: list[list[Spectrum]] = [[] for _ in level.nodes]
        for before, crossing in zip(front, level.crossings, strict=True):
            for shift, node in zip(crossing.shifts, crossing.nodes, strict=True):
                entering[node].append(Spectrum(before.values + shift, before.counts))
        leaving: list[list[Spectrum]] = [[] for _ in range(crossings)]
        for (bag, crossing_after), parts in zip(level.nodes, entering, strict=True):
            leaving[crossing_after].append(self._merged([self._merged(parts).plus(bags[bag])]))
        return [self._merged(parts) for parts in leaving]

    def _merged(self, parts: Iterable[Spectrum]) -> Spectrum:
        """One spectrum of several, equal costs put together, what is too dear left out."""
        found = list(parts)
        values = np.concatenate([np.zeros(0, np.int64), *(one.values for one in found)])
        counts = np.concatenate([np.zeros(0, self._type), *(one.counts for one in found)])
        if self._most is not None:
            kept = values <= self._most
            values, counts = values[kept], counts[kept]
        order = np.argsort(values, kind="stable")
        values, counts = values[order], counts[order]
        starts = np.flatnonzero(np.diff(values, prepend=-1))
        return Spectrum(values[starts], np.add.reduceat(counts, starts) if len(starts) else counts)


def _sums_behind(level: Level, back: list[Spectrum]) -> int:
    """How many sums `_behind` makes."""
    sizes = [len(level.bags[node.bag].values) * len(back[node.crossing].values) for node in level.nodes]
    return sum(sizes) + sum(sizes[node] for crossing in level.crossings for node in crossing.nodes)


def _sums_ahead(level: Level, front: list[Spectrum]) -> int:
    """How many sums `_ahead` makes, at most."""
    entering = [0] * len(level.nodes)
    for before, crossing in zip(front, level.crossings, strict=True):
        for node in crossing.nodes:
            entering[node] += len(before.values)
    return sum(len(level.bags[node.bag].values) * size for node, size in zip(level.nodes, entering, strict=True))
