"""The form a space has after reading: a tree whose leaves are values or open decisions.

`resolve` walks it with an asker and gives plain data. A decision is asked once in a walk and remembered by its name,
so that a shared decision (one kernel for all stages) is one question.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from nas.schema.problems import Mark
from nas.space.dimension import Ask, Dimension, Value


@dataclass(slots=True)
class Walk:
    """One walk over the tree: who is asked, and what was answered so far."""

    ask: Ask
    answers: dict[str, Value] = field(default_factory=dict)

    def answer(self, name: str, dimension: Dimension) -> Value:
        """Ask once; the same name gives the same answer for the rest of the walk."""
        if name not in self.answers:
            self.answers[name] = self.ask(name, dimension)
        return self.answers[name]


class Here(NamedTuple):
    """Where a walk is: the stage, the fields of the mapping around that are known already, the blocks of the stage."""

    stage: int = 0
    siblings: Mapping[str, Any] = {}
    depth: int = 0


class Repeat(NamedTuple):
    """A resolved pattern: one value a block, repeated."""

    values: tuple[Any, ...]


class Tree(ABC):
    """A part of a space."""

    mark: Mark

    @abstractmethod
    def resolve(self, walk: Walk, here: Here) -> Any:
        """The plain value under the walk's answers."""

    @abstractmethod
    def children(self) -> Iterator[Tree]:
        """The parts below."""

    def decisions(self) -> Iterator[Decision]:
        """Every decision at or below this part."""
        for child in self.children():
            yield from child.decisions()


class Computed(Tree):
    """A number that follows from the parts below it."""

    @abstractmethod
    def possible(self) -> Iterator[int]:
        """What it can be, as far as that is known without trying everything."""


@dataclass(frozen=True)
class Fixed(Tree):
    """A plain value."""

    value: Any
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> Any:
        """The value."""
        return self.value

    def children(self) -> Iterator[Tree]:
        """None."""
        return iter(())


@dataclass(frozen=True)
class Decision(Tree):
    """An open decision; an answer may lead to a part with decisions of its own.

    Attributes:
        path: its name below `stages`, or its full name elsewhere.
        dimension: the possible answers.
        branches: what an answer stands for, where it is not the value itself.
        stages: the stages it is asked for one by one; None for one answer that holds everywhere.
        in_stages: whether it stands under `stages`.
    """

    path: str
    dimension: Dimension
    mark: Mark
    branches: Mapping[Value, Tree] = field(default_factory=dict)
    stages: tuple[int, ...] | None = None
    in_stages: bool = False

    def name(self, stage: int) -> str:
        """What it is called when asked for `stage`."""
        if not self.in_stages:
            return self.path
        return f"stages.{self.path}" if self.stages is None else f"stages.{stage}.{self.path}"

    def names(self) -> list[str]:
        """Everything it can be called."""
        return [self.name(stage) for stage in (self.stages or (0,))]

    def resolve(self, walk: Walk, here: Here) -> Any:
        """The answer, or the part it stands for."""
        answer = walk.answer(self.name(here.stage), self.dimension)
        branch = self.branches.get(answer)
        return answer if branch is None else branch.resolve(walk, here)

    def children(self) -> Iterator[Tree]:
        """The parts that answers stand for."""
        return iter(self.branches.values())

    def decisions(self) -> Iterator[Decision]:
        """This one, then those of its branches."""
        yield self
        yield from super().decisions()


@dataclass(frozen=True)
class Struct(Tree):
    """A mapping: a spec (with `kind`), a stage or the whole. Conditional fields are resolved last."""

    fields: Mapping[str, Tree]
    mark: Mark
    kind: str | None = None

    def resolve(self, walk: Walk, here: Here) -> dict[str, Any]:
        """A plain dict; fields at their default in the file stay as they are written."""
        values: dict[str, Any] = {} if self.kind is None else {"kind": self.kind}
        inside = Here(here.stage, values, here.depth)
        for name, tree in self._in_order:
            values[name] = tree.resolve(walk, inside)
        return values

    def children(self) -> Iterator[Tree]:
        """The fields."""
        return iter(self.fields.values())

    def tested(self) -> Iterator[str]:
        """The fields that conditions of other fields look at."""
        for tree in self.fields.values():
            for condition in conditions(tree):
                yield from condition.tests

    @cached_property
    def _in_order(self) -> list[tuple[str, Tree]]:
        return sorted(self.fields.items(), key=lambda item: any(True for _ in conditions(item[1])))


@dataclass(frozen=True)
class AfterFirst(Tree):
    """What only later stages have: a downsample."""

    later: Tree
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> Any:
        """None in the first stage."""
        return self.later.resolve(walk, here) if here.stage else None

    def children(self) -> Iterator[Tree]:
        """What later stages have."""
        yield self.later


@dataclass(frozen=True)
class PerStage(Tree):
    """A list with one entry a stage."""

    entries: tuple[Tree, ...]
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> Any:
        """The entry of the stage."""
        return self.entries[here.stage].resolve(walk, here)

    def children(self) -> Iterator[Tree]:
        """The entries."""
        return iter(self.entries)


@dataclass(frozen=True)
class Pattern(Tree):
    """A repeating pattern over the blocks of a stage."""

    entries: tuple[Tree, ...]
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> Repeat:
        """The values in order; `spread` turns them into blocks."""
        return Repeat(tuple(entry.resolve(walk, here) for entry in self.entries))

    def children(self) -> Iterator[Tree]:
        """The entries."""
        return iter(self.entries)


@dataclass(frozen=True)
class PerBlock(Tree):
    """One entry a block of a stage, of which a network has as many as the stage is deep."""

    entries: tuple[Tree, ...]
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> Repeat:
        """The values of the blocks that there are; `spread` turns them into blocks."""
        return Repeat(tuple(entry.resolve(walk, here) for entry in self.entries[: here.depth]))

    def children(self) -> Iterator[Tree]:
        """The entries."""
        return iter(self.entries)


@dataclass(frozen=True)
class Items(Tree):
    """A list of parts, such as the layers of a stem: one value, whatever the stage."""

    entries: tuple[Tree, ...]
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> list[Any]:
        """The values in order."""
        return [entry.resolve(walk, here) for entry in self.entries]

    def children(self) -> Iterator[Tree]:
        """The entries."""
        return iter(self.entries)


@dataclass(frozen=True)
class Scaled(Tree):
    """One base value and a factor a stage: `width: {base: 96, ratio: [1, 2, 4, 8]}`."""

    base: Tree
    ratios: tuple[float, ...]
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> int:
        """The base times the stage's factor, rounded."""
        return self.times(self.base.resolve(walk, here), self.ratios[here.stage])

    @staticmethod
    def times(base: int, factor: float) -> int:
        """The base times a factor, as a whole number."""
        return round(base * factor)

    def children(self) -> Iterator[Tree]:
        """The base."""
        yield self.base


Test = Callable[[Any], bool]


@dataclass(frozen=True)
class When(Tree):
    """One of two parts, by the value of other fields of the same mapping.

    Attributes:
        tests: what must hold of each named field.
        then: the part where all hold.
        otherwise: the part where one does not.
        unwritten: the values of tested fields that the file leaves out.
    """

    tests: Mapping[str, Test]
    then: Tree
    otherwise: Tree
    mark: Mark
    unwritten: Mapping[str, Any] = field(default_factory=dict)

    def resolve(self, walk: Walk, here: Here) -> Any:
        """The value of the branch that holds; a pattern of values where a tested field is a pattern."""
        seen = {**self.unwritten, **{name: here.siblings[name] for name in self.tests if name in here.siblings}}
        lengths = [length for value in seen.values() if isinstance(value, Repeat) for length in pattern_lengths(value)]
        if not lengths:
            return self._branch(seen).resolve(walk, here)
        turns = ({name: at_block(value, index) for name, value in seen.items()} for index in range(math.lcm(*lengths)))
        return Repeat(tuple(self._branch(turn).resolve(walk, here) for turn in turns))

    def _branch(self, siblings: Mapping[str, Any]) -> Tree:
        return self.then if self.holds(siblings) else self.otherwise

    def holds(self, siblings: Mapping[str, Any]) -> bool:
        """Whether every test holds of the fields beside this one."""
        return all(test(siblings.get(name)) for name, test in self.tests.items())

    def children(self) -> Iterator[Tree]:
        """Both parts."""
        return iter((self.then, self.otherwise))


def conditions(tree: Tree) -> Iterator[When]:
    """The conditions in `tree` that look at the fields beside it; those in a mapping below look at that mapping's."""
    if isinstance(tree, When):
        yield tree
    if not isinstance(tree, Struct):
        for child in tree.children():
            yield from conditions(child)


def numbers(tree: Tree) -> Iterator[int]:
    """Every number that a leaf can be, once or more often."""
    if isinstance(tree, Fixed):
        yield tree.value
    elif isinstance(tree, Decision):
        yield from (one for one in tree.dimension.values if one not in tree.branches)  # type: ignore[misc]
    elif isinstance(tree, Computed):
        yield from tree.possible()
        return
    elif isinstance(tree, Scaled):
        yield from (tree.times(one, ratio) for one in numbers(tree.base) for ratio in tree.ratios)
        return
    for child in tree.children():
        yield from numbers(child)


def has_pattern(tree: Tree) -> bool:
    """Whether `tree` itself may turn out as a pattern; a mapping or list with a pattern inside is none itself."""
    if isinstance(tree, Struct | Items):
        return False
    return isinstance(tree, Pattern | PerBlock) or any(has_pattern(child) for child in tree.children())


def is_per_block(tree: Tree) -> bool:
    """Whether something at or below `tree` is asked for every block."""
    return isinstance(tree, PerBlock) or any(map(is_per_block, tree.children()))


def spread(value: Any, depth: int) -> Any:
    """A resolved block with patterns at its leaves -> `{"pattern": [block, …]}`; without patterns, itself.

    Args:
        value: the block.
        depth: number of blocks of the stage; a longer pattern is cut there.
    """
    lengths = list(pattern_lengths(value))
    if not lengths:
        return value
    return {"pattern": [at_block(value, index) for index in range(min(depth, math.lcm(*lengths)))]}


def pattern_lengths(value: Any) -> Iterator[int]:
    """The length of every pattern in a resolved value."""
    if isinstance(value, Repeat):
        yield len(value.values)
        for one in value.values:
            yield from pattern_lengths(one)
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from pattern_lengths(one)


def at_block(value: Any, index: int) -> Any:
    """What a resolved value is in the block at `index`."""
    if isinstance(value, Repeat):
        return at_block(value.values[index % len(value.values)], index)
    if isinstance(value, Mapping):
        return {key: at_block(one, index) for key, one in value.items()}
    if isinstance(value, list):
        return [at_block(one, index) for one in value]
    return value
