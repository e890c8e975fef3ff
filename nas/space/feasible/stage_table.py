"""One stage of a space as tables: its frames and blocks, where they can stand and what they cost there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas.errors import UserError
from nas.layers import Downsample, Norm, Site, Stem, downsamples, norms
from nas.space.feasible.block_table import BlockTable, block_table, pattern_of, table_of_patterns
from nas.space.feasible.fingerprints import digest, key_of, scrambled
from nas.space.feasible.options import TooManyError, independent, options, part_of
from nas.space.feasible.pricing import COSTS, Costs, costs_of, stands
from nas.space.feasible.rows import AnswerTable, Codes, Coding, answers_of
from nas.space.linear import OTHER_COUNT
from nas.space.root import Root
from nas.space.tree import numbers

Indices = NDArray[np.intp]
_MOST_NUMBERS = 1 << 26  # of one stage's table of prices: half a gigabyte
Places = tuple[Indices, Indices, Indices] | tuple[int, int, int]
T = TypeVar("T", bound=Hashable)


class Entry(NamedTuple):
    """The part of a frame that decides how the stage is entered; a width of 0 where it is left out."""

    width: int
    downsample: Downsample | None


class Interior(NamedTuple):
    """The rest of a frame."""

    depth: int
    norm: Norm | None


class Image(NamedTuple):
    """What comes in, and the stem that waits for the width of the first stage there is."""

    stem: Stem
    resolution: int


class State(NamedTuple):
    """What comes out of a part: a map."""

    width: int
    size: int


class Transition(NamedTuple):
    """How a stage is entered.

    Attributes:
        cost: of the stem or the downsample.
        first: the index of the first block's site.
        inner: the index of the other blocks' site.
        state: the index of what comes out of the stage.
    """

    cost: tuple[int, ...]
    first: int
    inner: int
    state: int


class Pairing(NamedTuple):
    """The frames behind one entry and the blocks that go with them.

    Attributes:
        frames: indices of frames.
        blocks: indices of blocks.
        is_product: whether every frame goes with every block; otherwise they are pairs.
    """

    frames: Indices
    blocks: Indices
    is_product: bool

    def pairs(self) -> tuple[Indices, Indices]:
        """All of them, the blocks of the first frame first."""
        if not self.is_product:
            return self.frames, self.blocks
        return np.repeat(self.frames, len(self.blocks)), np.tile(self.blocks, len(self.frames))


class StageTable:
    """The frames and blocks of one stage.

    Attributes:
        frames: the codes of the frames (depth, width, norm, downsample).
        blocks: the codes of the blocks.
        entries, entry_of: what frames differ in when they are entered, and which each has.
        interiors, interior_of: the rest.
        depth: the depth of each frame.
        states: what can come out of the stage, by index; an image where all stages so far are left out.
        may_leave_out: whether some networks have no such stage.
    """

    def __init__(self, root: Root, stage: int, coding: Coding, shared: Sequence[str]) -> None:
        """List the options of a stage; `shared` names the decisions that other stages have too.

        Raises:
            TooManyError: its decisions are coupled too much to be listed.
        """
        try:
            frames, self._block_table, self._are_pairs = _listed(root, stage)
        except TooManyError:
            raise (_per_block(stage) if root.asks_per_block else TooManyError()) from None
        self.may_leave_out = root.may_leave_out(stage)
        self._is_nothing = self._block_table.with_nothing(_passed_over(root, stage)) if self.may_leave_out else None
        self.frames = coding.table(answers_of([codes for codes, _, _ in frames]))
        self.blocks = coding.table(self._block_table.answers)
        self.entries, self.entry_of = _interned([entry for _, entry, _ in frames])
        self.interiors, self.interior_of = _interned([interior for _, _, interior in frames])
        self.depth = np.array([interior.depth for _, _, interior in frames], np.intp)
        self.states: dict[State | Image, int] = {}
        self._shared = [
            _columns_of(table, [coding.columns[name] for name in shared]) for table in (self.frames, self.blocks)
        ]
        self._groups = [
            _grouped(table.codes[:, places])
            for table, (_, places) in zip((self.frames, self.blocks), self._shared, strict=True)
        ]
        self._sites: dict[tuple[Site, Site], int] = {}
        keys = self._block_table.keys
        self._keys = keys if len(keys) else np.zeros(1, np.uint64)  # always left out
        self._frame_keys = np.array([_frame_key(entry, interior) for _, entry, interior in frames], np.uint64)
        self._prices: Costs
        self._allowed: NDArray[np.bool_]
        self._norms: Costs
        self._norms_allowed: NDArray[np.bool_]

    def pairings(self, settings: Codes) -> list[dict[int, Pairing]]:
        """What stands behind each entry, for each row (settings, decisions) of shared answers."""
        known: dict[tuple[bytes, bytes], dict[int, Pairing]] = {}
        found = []
        parts = [np.ascontiguousarray(settings[:, columns]) for columns, _ in self._shared]
        for frames, blocks in zip(*parts, strict=True):
            key = frames.tobytes(), blocks.tobytes()
            if key not in known:
                known[key] = self._paired(*key)
            found.append(known[key])
        return found

    def _paired(self, *shared: bytes) -> dict[int, Pairing]:
        frames, blocks = (groups.get(key, _NONE) for groups, key in zip(self._groups, shared, strict=True))
        if self._are_pairs:
            frames = blocks = np.intersect1d(frames, blocks)
        found = {}
        entries = self.entry_of[frames]
        for entry in dict.fromkeys(entries.tolist()):
            behind = entries == entry
            some = blocks[behind] if self._are_pairs else self._beside(entry, blocks)
            if len(some):
                found[entry] = Pairing(frames[behind], some, not self._are_pairs)
        return found

    def _beside(self, entry: int, blocks: Indices) -> Indices:
        """Those of some blocks that go with an entry: nothing, where the stage is left out."""
        if self._is_nothing is None:
            return blocks
        return blocks[self._is_nothing[int(self.entries[entry].width == 0)][blocks]]

    def pass_by(self, source: State | Image) -> Transition:
        """The transition over a stage that is left out."""
        return Transition((0,) * len(COSTS), 0, 0, self.states.setdefault(source, len(self.states)))

    def enter(self, cost: tuple[int, ...], first: Site, nominal: Site) -> Transition:
        """The transition to a stage whose first block stands at `first`."""
        site = self._sites.setdefault((first, nominal), len(self._sites))
        inner = self._sites.setdefault((_inner(first), _inner(nominal)), len(self._sites))
        state = State(first.width, first.size_out)
        return Transition(cost, site, inner, self.states.setdefault(state, len(self.states)))

    def price_sites(self) -> None:
        """Price everything at the sites that were found; to be called once, after the last `enter`."""
        if len(self._sites) * max(1, len(self._keys)) * len(COSTS) > _MOST_NUMBERS:
            raise TooManyError
        priced = [self._block_table.price(site, nominal) for site, nominal in self._sites]
        # At least one place, so that a stage that is always left out can be looked up like any other.
        self._prices = np.zeros((max(1, len(priced)), len(self._keys), len(COSTS)), np.int64)
        self._allowed = np.zeros(self._prices.shape[:2], bool)
        for place, (prices, allowed) in enumerate(priced):
            self._prices[place, : len(prices)], self._allowed[place, : len(allowed)] = prices, allowed
        self._norms = np.zeros((len(self.states), len(self.interiors), len(COSTS)), np.int64)
        self._norms_allowed = np.ones((len(self.states), len(self.interiors)), bool)
        for state, row in self.states.items():
            if not isinstance(state, State):
                continue
            site = Site(state.width, state.width, state.size)
            for column, interior in enumerate(self.interiors):
                if interior.norm is not None:
                    self._norms_allowed[row, column] = stands(interior.norm, site)
                    self._norms[row, column] = costs_of(interior.norm, site)

    def norm_costs(self, state: int, frames: Indices, metric: int) -> NDArray[np.int64]:
        """What the norm of each frame costs at the end of the stage, (frames,)."""
        return np.asarray(self._norms[state, self.interior_of[frames], metric])

    def norms_allowed(self, state: int, frames: Indices) -> NDArray[np.bool_]:
        """Whether the norm of each frame may stand at the end of the stage, (frames,)."""
        return np.asarray(self._norms_allowed[state, self.interior_of[frames]])

    def price(
        self, places: Places, frames: Indices, blocks: Indices, metrics: slice = slice(None)
    ) -> tuple[Costs, NDArray[np.bool_]]:
        """The cost of the blocks and the norm, (n, metrics), and whether they may stand there, (n,).

        Args:
            places: first, inner and state of a `Transition`; one for all, or each (n,).
            frames: the frames, (n,).
            blocks: the blocks, (n,).
            metrics: places in COSTS.
        """
        first, inner, state = places
        depth, pattern, period = self.depth[frames], self._block_table.pattern, self._block_table.period
        prices = self._prices[:, :, metrics]
        spec = pattern[blocks, 0]
        cost, valid = prices[first, spec], self._allowed[first, spec]
        if pattern.shape[1] == 1:
            cost = cost + (depth - 1)[:, None] * prices[inner, spec]
            valid = valid & ((depth == 1) | self._allowed[inner, spec])
        else:
            for position in range(1, int(depth.max(initial=1))):
                spec, there = pattern[blocks, position % period[blocks]], depth > position
                cost = cost + there[:, None] * prices[inner, spec]
                valid = valid & (~there | self._allowed[inner, spec])
        interiors = self.interior_of[frames]
        cost, valid = cost + self._norms[state, interiors][:, metrics], valid & self._norms_allowed[state, interiors]
        if self.may_leave_out:
            there = depth > 0
            cost, valid = cost * there[:, None], valid | ~there
        return cost, valid

    def keys(self, frames: Indices, blocks: Indices) -> NDArray[np.uint64]:
        """A fingerprint of each stage (n,): equal for equal stages, whatever answers lead to them."""
        depth, pattern, period = self.depth[frames], self._block_table.pattern, self._block_table.period
        found = self._frame_keys[frames]
        for position in range(int(depth.max(initial=1)) if pattern.shape[1] > 1 else 1):
            key = scrambled(self._keys[pattern[blocks, position % period[blocks]]] + np.uint64(position))
            found = found + np.where(depth > position, key, np.uint64(0))
        return found


def _per_block(stage: int) -> TooManyError:
    return TooManyError(f"stage {stage + 1} has too many combinations of what is chosen per block")


def _listed(root: Root, stage: int) -> tuple[list[tuple[dict[str, int], Entry, Interior]], BlockTable, bool]:
    """The frames, the blocks, and whether they are pairs: frame i with block i only."""
    columns = root.columns
    deepest = max(numbers(columns.fields["depth"]))
    group = next(part for part in independent(columns) if "block" in part.fields)
    if len(group.fields) == 1 and not root.asks_per_block:
        rest = part_of(columns, lambda name: name != "block")
        found = options(lambda walk: root.resolve_fields(walk, stage, rest))
        frames = [(one.codes, *frame) for one in found if (frame := _frame(one.value)) is not None]
        return frames, block_table(columns.fields["block"], stage, deepest), False
    # A condition joins the block with what is beside it, or the depth with its questions: all are asked together.
    frames, rows = [], []
    for one in options(lambda walk: root.resolve_fields(walk, stage, columns)):
        frame, row = _frame(one.value), [] if one.value is None else pattern_of(one.value["block"], deepest)
        if frame is not None and (row or one.value is None):
            frames.append((one.codes, *frame))
            rows.append((one.codes, row))
    return frames, table_of_patterns(rows), True


def _passed_over(root: Root, stage: int) -> list[dict[str, int]]:
    """The codes that the block of a stage that is left out still has: those of decisions that stages share."""
    block = part_of(root.columns, lambda name: name == "block")
    return [one.codes for one in options(lambda walk: root.pass_over(walk, stage, block))]


def _frame(value: dict[str, object] | None) -> tuple[Entry, Interior] | None:
    """The frame of a resolved stage, or None where it breaks a rule."""
    if value is None:
        return Entry(0, None), Interior(0, None)
    if value["depth"] == OTHER_COUNT:
        return None
    try:
        downsample, norm = (
            None if value.get(name) is None else family.read(value[name])
            for name, family in (("downsample", downsamples), ("norm", norms))
        )
    except UserError:
        return None
    return Entry(value["width"], downsample), Interior(value["depth"], norm)  # type: ignore[arg-type]


def _inner(first: Site) -> Site:
    return Site(first.width, first.width, first.size_out)


def _interned(values: Sequence[T]) -> tuple[list[T], Indices]:
    """The distinct values, and which of them each is."""
    found: dict[T, int] = defaultdict(lambda: len(found))
    which = np.array([found[value] for value in values], np.intp)
    return list(found), which


def _columns_of(table: AnswerTable, columns: Sequence[int]) -> tuple[list[int], list[int]]:
    """Those of `columns` that a table has, and their places in it."""
    places = {int(column): place for place, column in enumerate(table.columns)}
    kept = [column for column in columns if column in places]
    return kept, [places[column] for column in kept]


def _grouped(codes: Codes) -> dict[bytes, Indices]:
    """The rows that have the same codes, by these."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for index, row in enumerate(np.ascontiguousarray(codes)):
        found[row.tobytes()].append(index)
    return {key: np.array(rows, np.intp) for key, rows in found.items()}


_NONE = np.zeros(0, np.intp)


def _frame_key(entry: Entry, interior: Interior) -> int:
    return digest((entry.width, key_of(entry.downsample), interior.depth, key_of(interior.norm)))
