"""A space as tables: the parts of its networks, what each costs where, and how they follow on each other.

A network is a *setting* (the answers that several stages share), a stem, for each stage a *frame* (depth, width, norm,
downsample) and a block, and a head. What a stage costs depends on what comes into it, a width and a map size; so the
parts form a chain, and pricing a hundred thousand networks is a few look-ups and additions for each stage.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.architecture.architecture import NOMINAL_RESOLUTION
from nas.errors import UserError
from nas.layers import Head, Site, Stem, heads, stems
from nas.space.feasible.fingerprints import digest, key_of, scrambled
from nas.space.feasible.options import Option, TooManyError, independent, options
from nas.space.feasible.pricing import COSTS, Costs, costs_of, stands
from nas.space.feasible.rows import NOT_ASKED, AnswerSets, Codes, Coding, answers_of
from nas.space.feasible.stage_table import Entry, Image, Indices, Pairing, StageTable, State, Transition
from nas.space.root import Root
from nas.space.tree import Here, Walk
from nas.task import Task

_MOST_SETTINGS = 10_000  # pairings of shared answers; four seconds


class Points(NamedTuple):
    """Networks as indices of their parts.

    Attributes:
        stem, head: (n,).
        frames, blocks: (n, stages).
    """

    stem: Indices
    frames: Indices
    blocks: Indices
    head: Indices

    def some(self, which: Any) -> Points:
        """Those of an index or a mask."""
        return Points(*(part[which] for part in self))


class Priced(NamedTuple):
    """Costs (n, COSTS), and whether each is a network (n,); the costs of what is none mean nothing."""

    costs: Costs
    valid: NDArray[np.bool_]


class End(NamedTuple):
    """An option of the stem or the head, with what is asked along with it."""

    codes: dict[str, int]
    spec: Any
    drop_path: float | None
    resolution: int | None


class NetworkTable:
    """All parts of a space for a task.

    Attributes:
        settings: the shared answers, (settings, decisions).
        stem_of, head_of: the stems and heads that go with each setting, by index.
        stages: what each stage can be.
        pairings: for each stage and setting what goes with each entry.
        transitions: for each stage its transitions by index; those of the first stage come from stems.
        transition_of: for each stage the transition from each state (or stem) by each entry, -1: none.
    """

    def __init__(self, root: Root, task: Task, coding: Coding) -> None:
        """List and price every part: a second or so.

        Raises:
            TooManyError: the decisions of a part are coupled too much to be listed.
        """
        self._task = task
        self._width = len(coding.names)
        shared = _shared_names(root)
        self.stages = [StageTable(root, stage, coding, shared) for stage in range(root.stages)]
        ends = _ends(root)
        self._images = [Image(end.spec, end.resolution or task.resolution) for end in ends[0]]
        self._head_specs = [end.spec for end in ends[1]]
        self._tables = [coding.table(answers_of([end.codes for end in one])) for one in ends]
        self._end_keys = [np.array([_end_key(end) for end in one], np.uint64) for one in ends]
        found = options(lambda walk: _walk_stages(root, walk), asked=shared.__contains__)
        if len(found) > _MOST_SETTINGS:
            raise TooManyError(f"stages share {len(found):,} combinations of answers or more")
        self.settings = _written(answers_of([one.codes for one in found]), coding)
        joined = _is_joined(root)
        if joined:
            count = len(self._images)
            self.settings = np.repeat(self.settings, count, axis=0)
            self.stem_of = self.head_of = [np.array([one]) for _ in found for one in range(count)]
        else:
            self.stem_of = [np.arange(len(self._images))] * len(found)
            self.head_of = [np.arange(len(self._head_specs))] * len(found)
        self.pairings: list[list[dict[int, Pairing]]] = []
        self.transitions: list[list[Transition]] = []
        self.transition_of: list[NDArray[np.intp]] = []
        self._connect()
        for stage in self.stages:
            stage.price_sites()
        self._transition_costs = [_numbers([one.cost for one in row], len(COSTS)) for row in self.transitions]
        self._transition_places = [_numbers([one[1:] for one in row], 3) for row in self.transitions]
        self.head_costs, self.head_allowed = self._priced_heads()

    @property
    def last_states(self) -> dict[State | Image, int]:
        """What comes to the head; an image where no stage is left, which is no network."""
        return self.stages[-1].states

    def find(self, codes: Codes) -> Points:
        """The parts of each row (n, decisions); -1 where a row's answers are no option of a part."""
        frames = np.stack([stage.frames.find(codes) for stage in self.stages], axis=1)
        blocks = np.stack([stage.blocks.find(codes) for stage in self.stages], axis=1)
        return Points(self._tables[0].find(codes), frames, blocks, self._tables[1].find(codes))

    def write(self, points: Points) -> Codes:
        """The rows (n, decisions) of points; the inverse of `find`."""
        codes = np.full((len(points.stem), self._width), NOT_ASKED, np.int16)
        self._tables[0].write(codes, points.stem)
        for index, stage in enumerate(self.stages):
            stage.frames.write(codes, points.frames[:, index])
            stage.blocks.write(codes, points.blocks[:, index])
        self._tables[1].write(codes, points.head)
        return codes

    def price(self, points: Points) -> Priced:
        """The exact cost of each point; a point with an index of -1 is no network."""
        valid = (points.stem >= 0) & (points.head >= 0) & (points.frames >= 0).all(1) & (points.blocks >= 0).all(1)
        stem, frames, blocks, head = (np.maximum(part, 0) for part in points)
        costs = np.zeros((len(stem), len(COSTS)), np.int64)
        source = stem
        for index, stage in enumerate(self.stages):
            transition = self.transition_of[index][source, stage.entry_of[frames[:, index]]]
            valid &= transition >= 0
            first, inner, source = self._transition_places[index][transition].T
            spent, fits = stage.price((first, inner, source), frames[:, index], blocks[:, index])
            costs += self._transition_costs[index][transition] + spent
            valid &= fits
        valid &= self.head_allowed[source, head]
        return Priced(costs + self.head_costs[source, head], valid)

    def keys(self, points: Points) -> NDArray[np.uint64]:
        """A fingerprint of each architecture (n,): the same for different answers that give the same architecture."""
        found = scrambled(self._end_keys[0][points.stem]) + scrambled(self._end_keys[1][points.head] + np.uint64(1))
        place: Any = np.uint64(2)
        for index, stage in enumerate(self.stages):
            key = scrambled(stage.keys(points.frames[:, index], points.blocks[:, index]) + place)
            there = (
                (stage.depth[points.frames[:, index]] > 0).astype(np.uint64) if stage.may_leave_out else np.uint64(1)
            )
            found, place = found + key * there, place + there
        return np.asarray(found)

    def _connect(self) -> None:
        """Find every transition that some network goes through."""
        arriving: list[set[int]] = [set(stems.tolist()) for stems in self.stem_of]
        sources: list[Any] = self._images
        for stage in self.stages:
            known: dict[tuple[int, int], Transition | None] = {}
            leaving: list[set[int]] = []
            self.pairings.append(stage.pairings(self.settings))
            for entries, arrived in zip(self.pairings[-1], arriving, strict=True):
                left: set[int] = set()
                for pair in itertools.product(arrived, entries):
                    if pair not in known:
                        known[pair] = self._transition(stage, sources[pair[0]], stage.entries[pair[1]])
                    transition = known[pair]
                    if transition is not None:
                        left.add(transition.state)
                leaving.append(left)
            kept = {pair: transition for pair, transition in known.items() if transition is not None}
            self.transitions.append(list(kept.values()))
            table = np.full((max(1, len(sources)), max(1, len(stage.entries))), -1, np.intp)
            for index, pair in enumerate(kept):
                table[pair] = index
            self.transition_of.append(table)
            arriving, sources = leaving, list(stage.states)

    def _transition(self, stage: StageTable, source: Image | State, entry: Entry) -> Transition | None:
        """How a stage is entered, or None where it cannot be: by the rules of `Architecture.parts`."""
        if entry.width == 0:
            return stage.pass_by(source)
        if isinstance(source, Image):
            stem = source.stem
            site = Site(self._task.channels, stem.width(entry.width), source.resolution)
            if not stands(stem, _large(site)) or stem.size_out(site) < 1:
                return None
            width, size, cost = site.width, stem.size_out(site), costs_of(stem, site)
        else:
            (width, size), cost = source, _FREE
        step = entry.downsample
        if step is None:
            first = Site(width, entry.width, size)
            return stage.enter(cost, first, _large(first))
        site = Site(width, width if step.in_block else entry.width, size)
        if not stands(step, _large(site)) or step.size_out(site) < 1:
            return None
        stride = step.stride if step.in_block else 1
        first = Site(step.width_out(site), entry.width, step.size_out(site), stride)
        cost = tuple(before + after for before, after in zip(cost, costs_of(step, site), strict=True))
        return stage.enter(cost, first, _large(first))

    def _priced_heads(self) -> tuple[Costs, NDArray[np.bool_]]:
        shape = max(1, len(self.last_states)), max(1, len(self._head_specs))
        costs, allowed = np.zeros((*shape, len(COSTS)), np.int64), np.zeros(shape, bool)
        last = [(state, row) for state, row in self.last_states.items() if isinstance(state, State)]
        for (state, row), (column, head) in itertools.product(last, enumerate(self._head_specs)):
            allowed[row, column] = stands(head, Site(state.width, 1000, NOMINAL_RESOLUTION))
            costs[row, column] = costs_of(head, Site(state.width, self._task.classes, state.size))
        return costs, allowed


def _large(site: Site) -> Site:
    """The same widths, where no stride uses up the map."""
    return replace(site, size=NOMINAL_RESOLUTION)


_FREE = (0,) * len(COSTS)


def _numbers(rows: list[tuple[int, ...]], width: int) -> NDArray[np.int64]:
    """An array (rows, width), with a row of zeros where there is none."""
    return np.array(rows or [(0,) * width], np.int64)


def _shared_names(root: Root) -> list[str]:
    """The decisions that are asked once for several stages."""
    if root.stages == 1:
        return []
    shared = [] if root.count is None else [one.name(0) for one in root.count.decisions()]
    shared += [one.name(0) for one in root.columns.decisions() if one.stages is None]
    return list(dict.fromkeys(shared))


def _walk_stages(root: Root, walk: Walk) -> None:
    for stage in range(root.stages):
        root.resolve_fields(walk, stage, root.columns)


def _written(answers: AnswerSets, coding: Coding) -> Codes:
    codes = np.full((len(answers.codes), len(coding.names)), NOT_ASKED, np.int16)
    codes[:, [coding.columns[name] for name in answers.names]] = answers.codes
    return codes


def _is_joined(root: Root) -> bool:
    """Whether conditions join the stem with the head."""
    return any({"stem", "head"} <= set(part.fields) for part in independent(root.top))


def _ends(root: Root) -> tuple[list[End], list[End]]:
    """The options of the stem and of the head; where they are joined, option i of one goes with option i of the other.

    The drop path, which costs nothing, is asked with either.
    """
    parts = list(independent(root.top))
    if _is_joined(root):
        joined = _combined([options(lambda walk, part=part: part.resolve(walk, Here())) for part in parts])  # type: ignore[misc]
        pairs = [(stem, head) for one in joined if (stem := _end(one, "stem")) and (head := _end(one, "head"))]
        return [stem for stem, _ in pairs], [head for _, head in pairs]
    front = [part for part in parts if part.fields.keys() & {"stem", "resolution"}]
    back = [part for part in parts if part not in front]
    sides = []
    for name, side in (("stem", front), ("head", back)):
        found = _combined([options(lambda walk, part=part: part.resolve(walk, Here())) for part in side])  # type: ignore[misc]
        sides.append([end for one in found if (end := _end(one, name)) is not None])
    return sides[0], sides[1]


def _combined(groups: list[list[Option]]) -> Iterator[Option]:
    for parts in itertools.product(*groups):
        codes: dict[str, int] = {}
        values: dict[str, Any] = {}
        for part in parts:
            codes.update(part.codes)
            values.update(part.value)
        yield Option(codes, values)


def _end(option: Option, name: str) -> End | None:
    """One end of a network, or None where it breaks a rule."""
    family: Any = stems if name == "stem" else heads
    try:
        spec: Stem | Head = family.read(option.value[name])
    except UserError:
        return None
    rate = option.value.get("drop_path")
    return End(option.codes, spec, None if rate is None else float(rate), option.value.get("resolution"))


def _end_key(end: End) -> int:
    side = () if end.resolution is None else (end.resolution,)
    return digest((key_of(end.spec), end.drop_path, *side))
