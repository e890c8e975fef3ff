"""Networks drawn from near a budget: uniform over everything whose rounded cost is near enough.

Costs are rounded down to bins of a width, part by part, and the paths of the trellis are counted bin by bin, from the
heads backwards. Drawn forwards by these counts, every path whose rounded cost is in the band comes with the same
probability; the band is so much wider than the budget that nothing within the budget is left out. Who then throws away
what is not exactly within it has a uniform draw from the budget.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.space.feasible.network_table import Points
from nas.space.feasible.stage_table import Indices
from nas.space.feasible.trellis import CostGroups, Edge, Level, Trellis

Floats = NDArray[np.float64]
_MOST_BINS = 1536
_FEWEST_BINS = 128
_WORK = 1e8  # multiplications for one stage
_SEGMENTS = 32  # of the bins, so that a draw looks at these and then into one


class BandSampler:
    """Uniform draws of networks whose rounded cost is in a band.

    Attributes:
        count: how many there are, to 15 digits.
        low_bin, high_bin: the band, in sums of rounded costs.
    """

    def __init__(self, trellis: Trellis, low: int, high: int) -> None:
        """Count the paths for costs from `low` to `high`, both included: a fraction of a second."""
        self._table = trellis.table
        high = min(high, ends(trellis)[1])
        widest = max(len(level.nodes) for level in trellis.levels)
        bins = min(_MOST_BINS, max(_FEWEST_BINS, int(math.sqrt(2 * _WORK / max(1, widest)))))
        self._step = max(1, -(-(high + 1) // bins))
        self.high_bin = max(-1, high // self._step)
        roundings = 2 * len(trellis.levels) + 1
        self.low_bin = max(0, low // self._step - roundings)
        self._bins = self.high_bin + 1
        self._heads = _BinnedGroups(trellis.heads, self._step, self._bins)
        self._head_of = _dense(trellis.head_of, len(self._table.settings))
        following = self._heads.counts(np.arange(len(trellis.heads)))
        levels = []
        for level in reversed(trellis.levels):
            levels.append(_CountedLevel(level, following, self._step, self._bins, len(self._table.settings)))
            following = levels[-1].branchings
        self._levels = levels[::-1]
        self._roots = np.array(trellis.roots, np.intp).reshape(-1, 2)
        band = following[:, self.low_bin : self._bins]
        self._in_band = _stacked(band)
        of_root = np.array([trellis.levels[0].branching_of[root] for root in trellis.roots], np.intp)
        self._root_branching = of_root
        self._to_root = np.cumsum(band.sum(axis=1)[of_root]) if len(of_root) else np.zeros(0)

    @property
    def count(self) -> float:
        """How many networks the band holds."""
        return float(self._to_root[-1]) if len(self._to_root) else 0.0

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        """`n` independent networks of the band; there must be one."""
        root = np.searchsorted(self._to_root, _below(rng.random(n), self._to_root[-1]), side="right")
        rest = self.low_bin + self._in_band.draw(self._root_branching[root], rng)
        setting, stem = self._roots[root].T
        source = stem
        frames, blocks = [], []
        for level in self._levels:
            step = level.draw(setting, source, rest, rng)
            frames.append(step.frame)
            blocks.append(step.block)
            source, rest = step.state, step.rest
        head = self._heads.draw(self._head_of[setting, source], rest, rng)
        return Points(stem, np.stack(frames, axis=1), np.stack(blocks, axis=1), head)


def ends(trellis: Trellis) -> tuple[int, int]:
    """The smallest and the largest cost of any network; 0 where there is none."""
    following = [(int(one.values[0]), int(one.values[-1])) if len(one.values) else (0, 0) for one in trellis.heads]
    for level in reversed(trellis.levels):
        nodes = []
        for group, branching in level.nodes:
            values, (low, high) = level.groups[group].values, following[branching]
            nodes.append((int(values[0]) + low, int(values[-1]) + high))
        following = []
        for one in level.branchings:
            sums = [(cost + nodes[n][0], cost + nodes[n][1]) for cost, n in zip(one.costs, one.nodes, strict=True)]
            following.append((min(low for low, _ in sums), max(high for _, high in sums)))
    return min((low for low, _ in following), default=0), max((high for _, high in following), default=0)


class _Stacked(NamedTuple):
    """Rows of weights as one ascending array: row i sums up from i to i + 1, so that one search draws from any row.

    Attributes:
        sums: the sums of all rows, one after the other.
        columns: the length of a row.
    """

    sums: Floats
    columns: int

    def draw(self, row: Indices, rng: np.random.Generator) -> Indices:
        """An index of each row (n,), with probability proportional to its weight."""
        below = row + np.minimum(rng.random(len(row)), _ALMOST_ONE)
        return np.asarray(np.searchsorted(self.sums, below, side="right") - row * self.columns)


_ALMOST_ONE = 1 - 2.0**-40  # further than any row index rounds


def _stacked(weights: Floats) -> _Stacked:
    sums = np.cumsum(weights, axis=1)
    totals = sums[:, -1:] if sums.shape[1] else np.ones((len(sums), 1))
    shares = np.divide(sums, totals, out=np.ones_like(sums), where=totals > 0)
    return _Stacked(np.asarray((shares + np.arange(len(sums))[:, None]).reshape(-1)), sums.shape[1])


class _Step(NamedTuple):
    """One stage of many draws."""

    frame: Indices
    block: Indices
    state: Indices
    rest: Indices


class _BinnedGroups:
    """Groups as counts by bin, and an option of a bin at random."""

    def __init__(self, groups: list[CostGroups], step: int, bins: int) -> None:
        edges = np.arange(bins + 1) * step
        self._starts = np.zeros((len(groups), bins + 1), np.int32)
        for row, group in zip(self._starts, groups, strict=True):
            row[:] = np.append(0, np.cumsum(group.counts))[np.searchsorted(group.values, edges)]
        sizes = [len(group.order) for group in groups]
        self._offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._options = np.concatenate([np.zeros(0, np.intp), *(group.order for group in groups)])

    def counts(self, groups: Indices) -> Floats:
        """How many options some of the groups have in each bin, (groups, bins)."""
        return np.diff(self._starts[groups], axis=1).astype(float)

    def draw(self, group: Indices, bin_: Indices, rng: np.random.Generator) -> Indices:
        """A uniform option of a bin of a group, each (n,)."""
        low, high = self._starts[group, bin_], self._starts[group, bin_ + 1]
        place = low + np.minimum((rng.random(len(group)) * (high - low)).astype(np.int64), high - low - 1)
        return np.asarray(self._options[self._offsets[group] + place])


class _CountedLevel:
    """One stage with the number of ways to complete a network from it, bin by bin."""

    def __init__(self, level: Level, following: Floats, step: int, bins: int, settings: int) -> None:
        self._bins = bins
        self._binned = _BinnedGroups(level.groups, step, bins)
        self._segment = -(-bins // _SEGMENTS) if bins else 1
        # What follows in descending order, so that the bins left after each bin of a segment are a slice of it.
        descending = np.pad(following[:, ::-1], ((0, 0), (0, _SEGMENTS * self._segment)))
        self._windows = np.lib.stride_tricks.sliding_window_view(descending, self._segment, axis=1)
        groups, self._node_group = np.unique([node.group for node in level.nodes], return_inverse=True)
        self._node_next = np.array([node.branching for node in level.nodes], np.intp)
        counts = self._binned.counts(groups.astype(np.intp))
        padded = np.pad(counts, ((0, 0), (0, _SEGMENTS * self._segment - bins)))
        self._counts = padded.reshape(len(padded), _SEGMENTS, self._segment)
        self._segments = self._convolved(counts[self._node_group], following[self._node_next])
        self._nodes = self._segments.sum(axis=2)  # (nodes, bins)
        self._edge_nodes, self._edge_costs = _padded(level, step, bins)
        self.branchings = self._summed()
        self._index_edges(level, settings)

    def draw(self, setting: Indices, source: Indices, rest: Indices, rng: np.random.Generator) -> _Step:
        """Go through the stage from each (setting, source) with `rest` bins to spend on it and what follows."""
        branching = self._branching_of[setting, source]
        nodes, left = self._edge_nodes[branching], rest[:, None] - self._edge_costs[branching]
        weights = np.where((nodes >= 0) & (left >= 0), self._nodes[nodes, np.maximum(left, 0)], 0.0)
        place = _pick(weights, rng)
        rows = np.arange(len(place))
        node, rest = nodes[rows, place], left[rows, place]
        segment = _pick(self._segments[node, rest], rng)
        counts = self._counts[self._node_group[node], segment]
        ways = self._windows[self._node_next[node], self._bins - 1 - rest + segment * self._segment]
        spent = segment * self._segment + _pick(counts * ways, rng)
        edge = self._edge_start[setting, source] + place
        option = self._binned.draw(self._edge_group[edge], spent, rng)
        pairing = self._edge_pairing[edge]
        frame = self._frames[self._frame_start[pairing] + option // self._rows[pairing]]
        block = self._blocks[self._block_start[pairing] + option % self._columns[pairing]]
        return _Step(frame, block, self._edge_state[edge], rest - spent)

    def _convolved(self, counts: Floats, following: Floats) -> Floats:
        """Ways through each node (nodes, bins, segments of the bin that the node itself takes)."""
        found = np.zeros((_SEGMENTS, *counts.shape))
        for bin_ in np.flatnonzero(counts.any(axis=0)):
            found[bin_ // self._segment][:, bin_:] += counts[:, bin_, None] * following[:, : self._bins - bin_]
        return np.ascontiguousarray(found.transpose(1, 2, 0))

    def _summed(self) -> Floats:
        """Ways from each branching, (branchings, bins)."""
        found = np.zeros((len(self._edge_nodes), self._bins))
        for row, nodes, costs in zip(found, self._edge_nodes, self._edge_costs, strict=True):
            for node, cost in zip(nodes, costs, strict=True):
                if node >= 0 and cost < self._bins:
                    row[cost:] += self._nodes[node, : self._bins - cost]
        return found

    def _index_edges(self, level: Level, settings: int) -> None:
        """Lay out the edges of all (setting, source) one after the other."""
        self._branching_of = _dense(level.branching_of, settings)
        starts: dict[tuple[int, int], int] = {}
        edges: list[Edge] = []
        for pair, found in level.edges.items():
            starts[pair] = len(edges)
            edges.extend(found)
        self._edge_start = _dense(starts, settings)
        pairings = list({id(edge.pairing): edge.pairing for edge in edges}.values())
        places = {id(pairing): place for place, pairing in enumerate(pairings)}
        self._edge_group = np.array([edge.group for edge in edges], np.intp)
        self._edge_state = np.array([edge.state for edge in edges], np.intp)
        self._edge_pairing = np.array([places[id(edge.pairing)] for edge in edges], np.intp)
        self._rows = np.array([len(one.blocks) if one.is_product else 1 for one in pairings], np.intp)
        self._columns = np.array([len(one.blocks) for one in pairings], np.intp)
        self._frames, self._frame_start = _laid_out([one.frames for one in pairings])
        self._blocks, self._block_start = _laid_out([one.blocks for one in pairings])


def _pick(weights: Floats, rng: np.random.Generator) -> Indices:
    """An index of each row (n, k), with probability proportional to its weight."""
    sums = np.cumsum(weights, axis=1)
    below = _below(rng.random(len(sums)), sums[:, -1])
    return np.asarray((sums <= below[:, None]).sum(axis=1), np.intp)


def _below(share: Floats, total: Floats) -> Floats:
    """A share of a total, never the whole of it."""
    return np.asarray(np.minimum(share * total, np.nextafter(total, 0)))


def _padded(level: Level, step: int, bins: int) -> tuple[Indices, Indices]:
    """The nodes and rounded costs of each branching's edges, (branchings, most edges); -1 where there is no edge."""
    most = max((len(one.nodes) for one in level.branchings), default=0)
    nodes = np.full((len(level.branchings), most), -1, np.intp)
    costs = np.full((len(level.branchings), most), bins, np.intp)
    for row, branching in enumerate(level.branchings):
        nodes[row, : len(branching.nodes)] = branching.nodes
        costs[row, : len(branching.nodes)] = [min(bins, cost // step) for cost in branching.costs]
    return nodes, costs


def _dense(mapping: dict[tuple[int, int], int], rows: int) -> Indices:
    """A mapping from pairs as an array, -1 where there is nothing."""
    found = np.full((rows, 1 + max((column for _, column in mapping), default=0)), -1, np.intp)
    for pair, value in mapping.items():
        found[pair] = value
    return found


def _laid_out(parts: list[Indices]) -> tuple[Indices, Indices]:
    """Arrays one after the other, and where each begins."""
    starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
    return np.concatenate([np.zeros(0, np.intp), *parts]), starts.astype(np.intp)
