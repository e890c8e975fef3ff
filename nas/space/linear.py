"""RegNet's linear rule: the depth and the width of every stage from four numbers.

'Designing Network Design Spaces' (Radosavovic et al., arXiv:2003.13678, section 3.3): block j of d has the width
u_j = w_0 + w_a j (equation 2), which is rounded to w_0 w_m^s with a whole s (equations 3 and 4) and then to a multiple
of 8; blocks of equal width are a stage. Widths are then rounded to the nearest multiple of the group width, as in the
authors' code. A set of numbers that gives another number of stages than the space has is no point of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from nas.schema.problems import Mark
from nas.space.dimension import Answers, Value
from nas.space.tree import Computed, Decision, Fixed, Here, Tree, Walk

OTHER_COUNT = -1
"""The depth of every stage where the rule gives another number of stages."""


class Stages(NamedTuple):
    """What the rule gives, one entry a stage."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]


@lru_cache(maxsize=100_000)
def linear(depth: int, start: int, slope: float, factor: float, multiple: int, quantum: int) -> Stages:
    """Depths and widths of the stages.

    Args:
        depth: blocks in all stages together, d.
        start: width of the first block, w_0.
        slope: by how much a block is wider than the one before, w_a.
        factor: of the widths of two stages, w_m.
        multiple: what widths are a multiple of in the end: the group width, or the width itself where that is less.
        quantum: what they are a multiple of before that.
    """
    steps = (round(math.log((start + slope * block) / start) / math.log(factor)) for block in range(depth))
    widths = [round(start * factor**step / quantum) * quantum for step in steps]
    stages = [(width, len(list(blocks))) for width, blocks in itertools.groupby(widths)]
    found = tuple(_fitted(width, multiple) for width, _ in stages)
    return Stages(tuple(blocks for _, blocks in stages), found)


def _fitted(width: int, multiple: int) -> int:
    group = min(multiple, width)
    return round(width / group) * group


@dataclass(frozen=True)
class Rule:
    """The numbers of the rule, each of which may be open.

    Attributes:
        depth, start, slope, factor, multiple: see `linear`; leaves without options of their own.
        quantum: see `linear`.
        count: the number of stages.
    """

    depth: Tree
    start: Tree
    slope: Tree
    factor: Tree
    multiple: Tree
    quantum: int
    count: int

    @property
    def parts(self) -> tuple[Tree, ...]:
        """The five numbers."""
        return self.depth, self.start, self.slope, self.factor, self.multiple

    def stages(self, walk: Walk, here: Here) -> Stages | None:
        """Depths and widths under the walk's answers; None where they are of another number of stages."""
        found = linear(*(part.resolve(walk, here) for part in self.parts), self.quantum)
        return found if len(found.depths) == self.count else None

    def solutions(self, wanted: Stages) -> Iterator[Answers]:
        """The answers that give these stages."""
        total = sum(wanted.depths)
        options = [_options(part) for part in self.parts]
        for depth, multiple, start in itertools.product(options[0], options[4], options[1]):
            first = round(start.number / self.quantum) * self.quantum
            if depth.number != total or _fitted(first, int(multiple.number)) != wanted.widths[0]:
                continue
            for slope, factor in itertools.product(options[2], options[3]):
                numbers = (total, int(start.number), slope.number, factor.number, int(multiple.number))
                if linear(*numbers, self.quantum) == wanted:
                    answers: Answers = {}
                    for one in (depth, start, slope, factor, multiple):
                        answers.update(one.answers)
                    yield answers


class _Option(NamedTuple):
    number: float
    answers: dict[str, Value]


def _options(part: Tree) -> Sequence[_Option]:
    if isinstance(part, Decision):
        return [_Option(one, {part.name(0): one}) for one in part.dimension.values]  # type: ignore[arg-type]
    return [_Option(part.value, {})] if isinstance(part, Fixed) else []


@dataclass(frozen=True)
class LinearDepth(Computed):
    """The depth of a stage by the rule; `OTHER_COUNT` where it gives another number of stages."""

    rule: Rule
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> int:
        """The depth."""
        stages = self.rule.stages(walk, here)
        return OTHER_COUNT if stages is None else stages.depths[here.stage]

    def children(self) -> Iterator[Tree]:
        """The numbers of the rule."""
        return iter(self.rule.parts)

    def possible(self) -> Iterator[int]:
        """From one block to all of them."""
        return iter(range(1, int(max(one.number for one in _options(self.rule.depth))) + 1))


@dataclass(frozen=True)
class LinearGroupWidth(Computed):
    """The group width of a stage: that of the rule, or the stage's width where that is less."""

    rule: Rule
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> int:
        """The group width."""
        stages = self.rule.stages(walk, here)
        own: int = self.rule.multiple.resolve(walk, here)
        return own if stages is None else min(own, stages.widths[here.stage])

    def children(self) -> Iterator[Tree]:
        """The numbers of the rule."""
        return iter(self.rule.parts)

    def possible(self) -> Iterator[int]:
        """Those that the rule may have."""
        return iter([int(one.number) for one in _options(self.rule.multiple)])


@dataclass(frozen=True)
class LinearWidth(Computed):
    """The width of a stage by the rule; 0 where it gives another number of stages."""

    rule: Rule
    mark: Mark

    def resolve(self, walk: Walk, here: Here) -> int:
        """The width."""
        stages = self.rule.stages(walk, here)
        return 0 if stages is None else stages.widths[here.stage]

    def children(self) -> Iterator[Tree]:
        """The numbers of the rule."""
        return iter(self.rule.parts)

    def possible(self) -> Iterator[int]:
        """Not known without trying them all."""
        return iter(())
