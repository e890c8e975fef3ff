"""What the blocks of one stage can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import UserError
from nas.layers import Block, Site, Spec, blocks
from nas.space.feasible.options import Option, TooManyError, independent, options
from nas.space.feasible.pricing import BlockSet, CombinedBlocks, InseparableError, ListedBlocks, field_group
from nas.space.feasible.rows import NOT_ASKED, AnswerSets, answers_of, stacked
from nas.space.tree import Decision, Here, PerStage, Struct, Tree, Walk, pattern_lengths, spread


class _PatternError(Exception):
    """Blocks of one kind follow a pattern."""


class BlockTable:
    """The options of a stage's block, each a repeating pattern of specs (mostly one).

    Attributes:
        answers: the answers of each option.
        sets: the specs, priced together.
        pattern: the specs of each option in order, (options, longest pattern); the last ones of a short pattern mean
            nothing.
        period: the length of each option's pattern, (options,).
    """

    def __init__(self, answers: AnswerSets, sets: list[BlockSet], patterns: list[tuple[int, ...]] | None) -> None:
        """`patterns`: indices of specs, counted through all sets; None where option i is spec i."""
        self.answers = answers
        self._allowed: dict[tuple[int, Site], NDArray[np.bool_]] = {}
        self.sets = sets
        if patterns is None:
            self.pattern = np.arange(len(answers.codes), dtype=np.intp)[:, None]
            self.period = np.ones(len(answers.codes), np.intp)
        else:
            longest = max(map(len, patterns), default=1)
            rows = [(*one, *[0] * (longest - len(one))) for one in patterns]
            self.pattern = np.array(rows, np.intp).reshape(len(rows), longest)
            self.period = np.array([max(1, len(one)) for one in patterns], np.intp)

    def with_nothing(self, codes: Sequence[Mapping[str, int]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Add options that are no block, for a stage that is left out; one that asks the same as a block is that row.

        Returns:
            Which options are blocks, and which are none, (options,) each.
        """
        known = {_asked(self.answers, row): index for index, row in enumerate(self.answers.codes)}
        fresh = [one for one in codes if frozenset(one.items()) not in known]
        before = len(self.answers.codes)
        self.answers = stacked([self.answers, answers_of(fresh)])
        self.pattern = np.pad(self.pattern, ((0, len(fresh)), (0, 0)))
        self.period = np.append(self.period, np.ones(len(fresh), np.intp))
        is_block, is_none = (np.zeros(before + len(fresh), bool) for _ in range(2))
        is_block[:before] = True
        is_none[before:] = True
        is_none[[known[key] for one in codes if (key := frozenset(one.items())) in known]] = True
        return is_block, is_none

    @property
    def keys(self) -> NDArray[np.uint64]:
        """A fingerprint of each spec."""
        return np.concatenate([np.zeros(0, np.uint64), *(block_set.keys for block_set in self.sets)])

    def price(self, site: Site, nominal: Site) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The cost of each spec at a site, (specs, COSTS), and whether it may stand there, (specs,).

        Args:
            site: where it is priced.
            nominal: the same place in a network for very large images, where its rules are asked.
        """
        prices, allowed = [np.zeros((0, 6), np.int64)], [np.zeros(0, bool)]
        for index, block_set in enumerate(self.sets):
            try:
                fits = self._fits(index, nominal)
                found = block_set.price(site, fits)
            except InseparableError:
                if not isinstance(block_set, CombinedBlocks):
                    raise
                self.sets[index] = block_set.listed()
                fits = self._fits(index, nominal)
                found = self.sets[index].price(site, fits)
            prices.append(found)
            allowed.append(fits)
        return np.concatenate(prices), np.concatenate(allowed)

    def _fits(self, block_set: int, nominal: Site) -> NDArray[np.bool_]:
        if (block_set, nominal) not in self._allowed:
            self._allowed[block_set, nominal] = self.sets[block_set].allowed(nominal)
        return self._allowed[block_set, nominal]


def _asked(answers: AnswerSets, row: NDArray[np.int16]) -> frozenset[tuple[str, int]]:
    """A set of answers without the questions that it does not ask."""
    return frozenset((name, int(code)) for name, code in zip(answers.names, row, strict=True) if code != NOT_ASKED)


def block_table(tree: Tree, stage: int, deepest: int) -> BlockTable:
    """The table of a block's tree.

    Args:
        tree: the block.
        stage: the stage it is asked for.
        deepest: the most blocks the stage can have; no pattern is looked at beyond.

    Raises:
        TooManyError: its decisions are coupled too much to list them.
    """
    try:
        tables = [_table_of(one, deepest) for one in _block_sets(tree, stage, {})]
    except InseparableError:
        return listed_table(options(lambda walk: tree.resolve(walk, Here(stage))), deepest)
    return _joined(tables)


def _table_of(found: BlockSet | list[Option], deepest: int) -> BlockTable:
    return listed_table(found, deepest) if isinstance(found, list) else BlockTable(found.answers, [found], None)


def _joined(tables: Sequence[BlockTable]) -> BlockTable:
    """The options of all tables; specs are counted on from one to the next."""
    if len({one.pattern.shape[1] for one in tables} | {1}) == 1:
        return BlockTable(stacked([one.answers for one in tables]), [row for one in tables for row in one.sets], None)
    patterns: list[tuple[int, ...]] = []
    before = 0
    for one in tables:
        rows = zip(one.pattern.tolist(), one.period.tolist(), strict=True)
        patterns += [tuple(before + spec for spec in row[:period]) for row, period in rows]
        before += len(one.keys)
    return BlockTable(stacked([one.answers for one in tables]), [row for one in tables for row in one.sets], patterns)


def listed_table(found: list[Option], deepest: int) -> BlockTable:
    """The table of blocks that were walked one by one, as plain data; those that break a rule are left out."""
    read = [(option.codes, pattern_of(option.value, deepest)) for option in found]
    return table_of_patterns([(codes, row) for codes, row in read if row])


def table_of_patterns(found: list[tuple[dict[str, int], list[Block]]]) -> BlockTable:
    """The table of repeating patterns of specs."""
    specs: dict[Block, int] = {}
    patterns = [tuple(specs.setdefault(spec, len(specs)) for spec in row) for _, row in found]
    nothing = answers_of([{} for _ in specs])
    return BlockTable(answers_of([codes for codes, _ in found]), [ListedBlocks(list(specs), nothing)], patterns)


def pattern_of(value: Any, deepest: int) -> list[Block]:
    """The repeating pattern of specs of a resolved block; none where it breaks a rule.

    Raises:
        TooManyError: a block decides itself what its map is.
    """
    form = spread(value, deepest)
    row = form["pattern"] if isinstance(form, Mapping) and "pattern" in form else [form]
    try:
        read = [blocks.read(one) for one in row]
    except UserError:
        return []
    if any(type(spec).size_out is not Spec.size_out for spec in read):
        raise TooManyError
    return read


def _block_sets(tree: Tree, stage: int, prefix: Mapping[str, int]) -> Iterator[BlockSet | list[Option]]:
    """The sets of a tree, options where blocks follow a pattern; InseparableError where it is no choice of mappings."""
    if isinstance(tree, PerStage):
        yield from _block_sets(tree.entries[stage], stage, prefix)
    elif isinstance(tree, Decision) and tree.name(stage) not in prefix:
        for code, answer in enumerate(tree.dimension.values):
            if answer not in tree.branches:
                raise InseparableError
            yield from _block_sets(tree.branches[answer], stage, {**prefix, tree.name(stage): code})
    elif isinstance(tree, Struct) and tree.kind is not None:
        try:
            yield _combined_blocks(tree, tree.kind, stage, prefix)
        except _PatternError:
            yield _patterned(tree, stage, prefix)
    else:
        raise InseparableError


def _patterned(tree: Struct, stage: int, prefix: Mapping[str, int]) -> list[Option]:
    """The options of a mapping that has a pattern in it, which are priced one by one."""
    found = options(_resolving(tree, stage))
    if any(name in prefix for option in found for name in option.codes):
        raise InseparableError
    return [Option({**prefix, **option.codes}, option.value) for option in found]


def _combined_blocks(tree: Struct, kind: str, stage: int, prefix: Mapping[str, int]) -> BlockSet:
    groups, taken = [], set(prefix)
    if blocks[kind].size_out is not Spec.size_out:
        raise TooManyError
    for part in independent(tree):
        found = options(_resolving(part, stage))
        names = {name for option in found for name in option.codes}
        if any(True for option in found for _ in pattern_lengths(option.value)):
            raise _PatternError
        if names & taken:
            raise InseparableError
        taken |= names
        groups.append(field_group(kind, found))
    if any(not group.values for group in groups):
        return ListedBlocks([], answers_of([]))
    return CombinedBlocks(kind, groups, prefix)


def _resolving(part: Struct, stage: int) -> Callable[[Walk], dict[str, Any]]:
    return lambda walk: part.resolve(walk, Here(stage))
