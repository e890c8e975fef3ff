"""The chain of a space's parts as a graph whose paths are its networks, for one metric.

Parts that cost the same, and are followed by the same, are one node, so that the graph stays small: activations cost
nothing, and 1296 settings of conv2former become a few dozen. Counting and drawing both work on it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.space.feasible.network_table import NetworkTable
from nas.space.feasible.pricing import COSTS
from nas.space.feasible.stage_table import Indices, Pairing, Transition


class CostGroups(NamedTuple):
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
    """A stage that was entered: options by cost, then a branching.

    Attributes:
        group: its options, by index in `Level.groups`.
        branching: what follows, by index in the next level's branchings (heads, after the last).
    """

    group: int
    branching: int


class Branching(NamedTuple):
    """What can follow on a state: for each transition into the next stage its cost and its node."""

    costs: tuple[int, ...]
    nodes: tuple[int, ...]


class Edge(NamedTuple):
    """One edge of a branching, told by what is behind it.

    Attributes:
        group: its own group, which costs the same as its node's, but holds other options.
        pairing: what the group's options are.
        state: what comes out of the stage.
    """

    group: int
    pairing: Pairing
    state: int


class Level(NamedTuple):
    """One stage of the graph.

    Attributes:
        groups: of the stage's frames and blocks; an option is a place in a pairing.
        nodes: the distinct nodes.
        branchings: the distinct branchings into the stage.
        branching_of: the branching of each (setting, source); sources are stems in the first stage, else states.
        edges: the edges of each (setting, source), in the order of its branching's nodes.
    """

    groups: list[CostGroups]
    nodes: list[Node]
    branchings: list[Branching]
    branching_of: dict[tuple[int, int], int]
    edges: dict[tuple[int, int], list[Edge]]


class Trellis:
    """The graph of a space for one metric, or for none: then everything costs 0.

    Attributes:
        levels: the stages in order.
        heads: groups of the heads' costs.
        head_of: which of `heads` follows on each (setting, state).
        roots: every (setting, stem) that leads to a network.
    """

    def __init__(self, table: NetworkTable, metric: str | None) -> None:
        """Build it from the heads backwards."""
        self.table = table
        self.metric = None if metric is None else COSTS.index(metric)
        self.heads: list[CostGroups] = []
        self.head_of = self._place_heads()
        following, levels = self.head_of, []
        for stage in reversed(range(len(table.stages))):
            levels.append(_LevelBuilder(table, stage, self.metric).build(following))
            following = levels[-1].branching_of
        self.levels = levels[::-1]
        self.roots = list(self.levels[0].branching_of)

    def _place_heads(self) -> dict[tuple[int, int], int]:
        known: dict[tuple[int, bytes], int] = {}
        found = {}
        for setting, heads in enumerate(self.table.head_of):
            for state in range(len(self.table.last_states)):
                key = (state, heads.tobytes())
                if key not in known:
                    known[key] = len(self.heads)
                    fits = heads[self.table.head_allowed[state, heads]]
                    self.heads.append(_cost_groups(_spent(self.table.head_costs[state, fits], self.metric), fits))
                if len(self.heads[known[key]].order):
                    found[setting, state] = known[key]
        return found


class _LevelBuilder:
    """Makes one level, given what follows on it."""

    def __init__(self, table: NetworkTable, index: int, metric: int | None) -> None:
        self._stage = table.stages[index]
        self._transitions = table.transitions[index]
        self._transition_of = table.transition_of[index]
        self._sources = table.stem_of if index == 0 else [np.arange(len(self._transition_of))] * len(table.settings)
        self._pairings = table.pairings[index]
        self._metric = metric
        self._groups: list[CostGroups] = []
        self._group_of: dict[tuple[object, ...], int] = {}
        self._like: list[int] = []  # the first group with the same costs
        self._same: dict[tuple[bytes, bytes], int] = {}
        self._known: dict[tuple[int, ...], int] = {}

    def build(self, following: dict[tuple[int, int], int]) -> Level:
        nodes: dict[Node, int] = {}
        branchings: dict[Branching, int] = {}
        level = Level(self._groups, [], [], {}, {})
        for setting, sources in enumerate(self._sources):
            for source in map(int, sources):
                costs, after, edges = [], [], []
                for entry, pairing in self._pairings[setting].items():
                    which = self._transition_of[source, entry]
                    if which < 0:
                        continue
                    transition = self._transitions[which]
                    group = self._cost_groups(transition, pairing)
                    if (setting, transition.state) in following and len(self._groups[group].order):
                        node = Node(self._like[group], following[setting, transition.state])
                        costs.append(0 if self._metric is None else transition.cost[self._metric])
                        after.append(nodes.setdefault(node, len(nodes)))
                        edges.append(Edge(group, pairing, transition.state))
                if after:
                    branching = Branching(tuple(costs), tuple(after))
                    level.branching_of[setting, source] = branchings.setdefault(branching, len(branchings))
                    level.edges[setting, source] = edges
        level.nodes.extend(nodes)
        level.branchings.extend(branchings)
        return level

    def _cost_groups(self, transition: Transition, pairing: Pairing) -> int:
        key = (id(pairing), *transition[1:])
        if key not in self._known:
            alike = self._contents(transition, pairing)
            if alike not in self._group_of:
                self._group_of[alike] = self._priced(transition, pairing)
            self._known[key] = self._group_of[alike]
        return self._known[key]

    def _contents(self, transition: Transition, pairing: Pairing) -> tuple[object, ...]:
        """Equal for pairings whose options cost the same, place by place."""
        stage, state, frames, metric = self._stage, transition.state, pairing.frames, self._metric
        norms = _FREE if metric is None else stage.norm_costs(state, frames, metric)
        told = (stage.depth[frames], norms, pairing.blocks, stage.norms_allowed(state, frames))
        return (transition.first, transition.inner, pairing.is_product, *(one.tobytes() for one in told))

    def _priced(self, transition: Transition, pairing: Pairing) -> int:
        metrics = slice(0, 0) if self._metric is None else slice(self._metric, self._metric + 1)
        costs, valid = self._stage.price(transition[1:], *pairing.pairs(), metrics)
        kept = np.flatnonzero(valid)
        group = _cost_groups(_spent(costs[kept], None if self._metric is None else 0), kept)
        self._like.append(self._same.setdefault((group.values.tobytes(), group.counts.tobytes()), len(self._groups)))
        self._groups.append(group)
        return len(self._groups) - 1


_FREE = np.zeros(0, np.int64)


def _spent(costs: NDArray[np.int64], metric: int | None) -> NDArray[np.int64]:
    return np.zeros(len(costs), np.int64) if metric is None else costs[:, metric]


def _cost_groups(costs: NDArray[np.int64], options: Indices) -> CostGroups:
    order = np.argsort(costs, kind="stable")
    ordered = costs[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]) + 1
    return CostGroups(ordered[ends - 1], ends - np.append(0, ends)[:-1], options[order])
