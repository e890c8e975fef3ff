"""The chain of a space's parts as a graph whose paths are its networks, for one metric.

Parts that cost the same, and are followed by the same, are one node, so that the graph stays small: activations cost
nothing, and 1296 settings of conv2former become a few dozen. Counting and drawing both work on it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.space.lots import COSTS
from nas.space.stage_tables import Filling, Indices, Passage
from nas.space.tables import SpaceTables


class Bag(NamedTuple):
    """What options cost, sorted.

    Attributes:
        values: the distinct costs, ascending.
        counts: how many options cost each.
        order: the options, the cheapest first.
    """

    values: NDArray[np.int64]
    counts: NDArray[np.int64]
    order: Indices


class Node(NamedTuple):
    """A stage that was entered: one of a bag of costs, then a crossing.

    Attributes:
        bag: the bag of the stage, by index.
        crossing: what follows, by index in the next stage's crossings (heads, after the last).
    """

    bag: int
    crossing: int


class Crossing(NamedTuple):
    """What can follow on a state: for each way into the next stage its cost and its node."""

    shifts: tuple[int, ...]
    nodes: tuple[int, ...]


class Way(NamedTuple):
    """One edge of a crossing, told by what is behind it.

    Attributes:
        bag: its own bag, which costs the same as its node's, but holds other options.
        filling: what the bag's options are.
        state: what comes out of the stage.
    """

    bag: int
    filling: Filling
    state: int


class Level(NamedTuple):
    """One stage of the graph.

    Attributes:
        bags: of the stage's frames and blocks; an option is a place in a filling.
        nodes: the distinct nodes.
        crossings: the distinct crossings into the stage.
        crossing_of: the crossing of each (setting, entry); entries are stems in the first stage, else states.
        ways: the ways of each (setting, entry), in the order of its crossing's edges.
    """

    bags: list[Bag]
    nodes: list[Node]
    crossings: list[Crossing]
    crossing_of: dict[tuple[int, int], int]
    ways: dict[tuple[int, int], list[Way]]


class Lattice:
    """The graph of a space for one metric, or for none: then everything costs 0.

    Attributes:
        levels: the stages in order.
        heads: bags of the heads' costs.
        head_of: which of `heads` follows on each (setting, state).
        roots: every (setting, stem) that leads to a network.
    """

    def __init__(self, tables: SpaceTables, metric: str | None) -> None:
        """Build it from the heads backwards."""
        self.tables = tables
        self.metric = None if metric is None else COSTS.index(metric)
        self.heads: list[Bag] = []
        self.head_of = self._place_heads()
        following, levels = self.head_of, []
        for stage in reversed(range(len(tables.stages))):
            levels.append(_LevelBuilder(tables, stage, self.metric).build(following))
            following = levels[-1].crossing_of
        self.levels = levels[::-1]
        self.roots = list(self.levels[0].crossing_of)

    def _place_heads(self) -> dict[tuple[int, int], int]:
        known: dict[tuple[int, bytes], int] = {}
        found = {}
        for setting, heads in enumerate(self.tables.head_of):
            for state in range(len(self.tables.last_states)):
                key = (state, heads.tobytes())
                if key not in known:
                    known[key] = len(self.heads)
                    fits = heads[self.tables.head_allowed[state, heads]]
                    self.heads.append(_bag(_spent(self.tables.head_costs[state, fits], self.metric), fits))
                if len(self.heads[known[key]].order):
                    found[setting, state] = known[key]
        return found


class _LevelBuilder:
    """Makes one level, given what follows on it."""

    def __init__(self, tables: SpaceTables, index: int, metric: int | None) -> None:
        self._stage = tables.stages[index]
        self._passages = tables.passages[index]
        self._passage_of = tables.passage_of[index]
        self._entries = tables.stem_of if index == 0 else [np.arange(len(self._passage_of))] * len(tables.settings)
        self._behind = tables.fillings[index]
        self._metric = metric
        self._bags: list[Bag] = []
        self._bag_of: dict[tuple[object, ...], int] = {}
        self._like: list[int] = []  # the first bag with the same costs
        self._same: dict[tuple[bytes, bytes], int] = {}
        self._known: dict[tuple[int, ...], int] = {}

    def build(self, following: dict[tuple[int, int], int]) -> Level:
        nodes: dict[Node, int] = {}
        crossings: dict[Crossing, int] = {}
        level = Level(self._bags, [], [], {}, {})
        for setting, entries in enumerate(self._entries):
            for entry in map(int, entries):
                shifts, edges, ways = [], [], []
                for door, filling in self._behind[setting].items():
                    which = self._passage_of[entry, door]
                    if which < 0:
                        continue
                    passage = self._passages[which]
                    bag = self._bag(passage, filling)
                    if (setting, passage.state) in following and len(self._bags[bag].order):
                        node = Node(self._like[bag], following[setting, passage.state])
                        shifts.append(0 if self._metric is None else passage.cost[self._metric])
                        edges.append(nodes.setdefault(node, len(nodes)))
                        ways.append(Way(bag, filling, passage.state))
                if edges:
                    crossing = Crossing(tuple(shifts), tuple(edges))
                    level.crossing_of[setting, entry] = crossings.setdefault(crossing, len(crossings))
                    level.ways[setting, entry] = ways
        level.nodes.extend(nodes)
        level.crossings.extend(crossings)
        return level

    def _bag(self, passage: Passage, filling: Filling) -> int:
        key = (id(filling), *passage[1:])
        if key not in self._known:
            alike = self._contents(passage, filling)
            if alike not in self._bag_of:
                self._bag_of[alike] = self._filled(passage, filling)
            self._known[key] = self._bag_of[alike]
        return self._known[key]

    def _contents(self, passage: Passage, filling: Filling) -> tuple[object, ...]:
        """Equal for fillings whose options cost the same, place by place."""
        depths = self._stage.depth[filling.frames]
        norms = _FREE if self._metric is None else self._stage.norm_costs(passage.state, filling.frames, self._metric)
        frames = (depths.tobytes(), norms.tobytes())
        return (*passage[1:3], *frames, filling.blocks.tobytes(), filling.is_product, self._allowed(passage, filling))

    def _allowed(self, passage: Passage, filling: Filling) -> bytes:
        return self._stage.norms_allowed(passage.state, filling.frames).tobytes()

    def _filled(self, passage: Passage, filling: Filling) -> int:
        frames, blocks = filling.pairs()
        metrics = slice(0, 0) if self._metric is None else slice(self._metric, self._metric + 1)
        costs, valid = self._stage.price(passage[1:], frames, blocks, metrics)
        kept = np.flatnonzero(valid)
        spent = np.zeros(len(kept), np.int64) if self._metric is None else costs[kept, 0]
        bag = _bag(spent, kept)
        self._like.append(self._same.setdefault((bag.values.tobytes(), bag.counts.tobytes()), len(self._bags)))
        self._bags.append(bag)
        return len(self._bags) - 1


_FREE = np.zeros(0, np.int64)


def _spent(costs: NDArray[np.int64], metric: int | None) -> NDArray[np.int64]:
    return np.zeros(len(costs), np.int64) if metric is None else costs[:, metric]


def _bag(costs: NDArray[np.int64], options: Indices) -> Bag:
    order = np.argsort(costs, kind="stable")
    ordered = costs[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]) + 1
    return Bag(ordered[ends - 1], ends - np.append(0, ends)[:-1], options[order])
