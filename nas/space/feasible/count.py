"""The exact number of networks between two costs, without visiting them.

The trellis is summed from both ends to a stage in the middle: there, each branching has the distinct costs of all that
leads to it and of all that follows on it, with how many networks have each. Two sorted lists are then counted against
each other by bisection.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.space.feasible.trellis import Level, Trellis

MOST_SUMS = 10_000_000
"""Sums of two costs that one stage may ask for; about a second. A space that needs more is not counted exactly."""

_SMALL = 1 << 62  # numbers of networks below this are 64-bit integers


class TooLargeError(Exception):
    """There are too many distinct costs."""


class CostHistogram(NamedTuple):
    """Distinct costs, ascending, and how many networks have each: 64-bit integers, or Python's beyond these."""

    values: NDArray[np.int64]
    counts: NDArray[Any]

    def plus(self, other: CostHistogram) -> CostHistogram:
        """Every sum of two costs; not yet merged."""
        values = self.values[:, None] + other.values
        return CostHistogram(values.reshape(-1), np.multiply.outer(self.counts, other.counts).reshape(-1))


class PathCount:
    """How many networks of a trellis have which cost: its cost histogram, kept as two halves."""

    def __init__(self, trellis: Trellis, networks: float, *, most: int | None = None) -> None:
        """Sum from both ends.

        Args:
            trellis: the graph for one metric, or for none.
            networks: about how many networks there are.
            most: dearer networks do not count.

        Raises:
            TooLargeError: more than `MOST_SUMS` at a stage.
        """
        self._type: Any = np.int64 if networks < _SMALL else object
        self._most = most
        levels = trellis.levels
        front = self._roots(trellis)
        back = [CostHistogram(group.values, group.counts.astype(self._type)) for group in trellis.heads]
        first, last = 0, len(levels)
        while first < last:
            ahead, behind = _sums_ahead(levels[first], front), _sums_behind(levels[last - 1], back)
            if min(ahead, behind) > (MOST_SUMS if self._type is np.int64 else MOST_SUMS // 10):
                raise TooLargeError
            if ahead < behind:
                after = len(levels[first + 1].branchings) if first + 1 < len(levels) else len(trellis.heads)
                front = self._ahead(levels[first], front, after)
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

    def _roots(self, trellis: Trellis) -> list[CostHistogram]:
        counts = [0] * len(trellis.levels[0].branchings)
        for branching in trellis.levels[0].branching_of.values():
            counts[branching] += 1
        return [CostHistogram(np.zeros(1, np.int64), np.array([count], self._type)) for count in counts]

    def _histograms(self, level: Level) -> list[CostHistogram]:
        return [CostHistogram(group.values, group.counts.astype(self._type)) for group in level.groups]

    def _behind(self, level: Level, back: list[CostHistogram]) -> list[CostHistogram]:
        """What follows on each branching into a stage, given what follows on the stage."""
        groups = self._histograms(level)
        nodes = [self._merged([groups[node.group].plus(back[node.branching])]) for node in level.nodes]
        return [
            self._merged(
                CostHistogram(nodes[node].values + cost, nodes[node].counts)
                for cost, node in zip(branching.costs, branching.nodes, strict=True)
            )
            for branching in level.branchings
        ]

    def _ahead(self, level: Level, front: list[CostHistogram], after: int) -> list[CostHistogram]:
        """What leads to each branching after a stage, given what leads to it."""
        groups = self._histograms(level)
        entering: list[list[CostHistogram]] = [[] for _ in level.nodes]
        for before, branching in zip(front, level.branchings, strict=True):
            for cost, node in zip(branching.costs, branching.nodes, strict=True):
                entering[node].append(CostHistogram(before.values + cost, before.counts))
        leaving: list[list[CostHistogram]] = [[] for _ in range(after)]
        for (group, following), parts in zip(level.nodes, entering, strict=True):
            leaving[following].append(self._merged([self._merged(parts).plus(groups[group])]))
        return [self._merged(parts) for parts in leaving]

    def _merged(self, parts: Iterable[CostHistogram]) -> CostHistogram:
        """One histogram of several, equal costs put together, what is too dear left out."""
        found = list(parts)
        values = np.concatenate([np.zeros(0, np.int64), *(one.values for one in found)])
        counts = np.concatenate([np.zeros(0, self._type), *(one.counts for one in found)])
        if self._most is not None:
            kept = values <= self._most
            values, counts = values[kept], counts[kept]
        order = np.argsort(values, kind="stable")
        values, counts = values[order], counts[order]
        starts = np.flatnonzero(np.diff(values, prepend=-1))
        return CostHistogram(values[starts], np.add.reduceat(counts, starts) if len(starts) else counts)


def _sums_behind(level: Level, back: list[CostHistogram]) -> int:
    """How many sums `_behind` makes."""
    sizes = [len(level.groups[node.group].values) * len(back[node.branching].values) for node in level.nodes]
    return sum(sizes) + sum(sizes[node] for branching in level.branchings for node in branching.nodes)


def _sums_ahead(level: Level, front: list[CostHistogram]) -> int:
    """How many sums `_ahead` makes, at most."""
    entering = [0] * len(level.nodes)
    for before, branching in zip(front, level.branchings, strict=True):
        for node in branching.nodes:
            entering[node] += len(before.values)
    return sum(len(level.groups[node.group].values) * size for node, size in zip(level.nodes, entering, strict=True))
