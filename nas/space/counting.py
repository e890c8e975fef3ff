"""The exact size of a space, without visiting its points.

Only *controllers*, the decisions that change which questions follow, are enumerated; all others multiply. Decisions
that a stage makes alone are counted stage by stage, so that stages multiply too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nas.space.dimension import Dimension, Value
from nas.space.tree import Decision, Struct, Tree, Walk, When

if TYPE_CHECKING:
    from nas.space.space import SearchSpace

Answers = dict[str, Value]


def count_points(space: SearchSpace) -> int:
    """The number of different sets of answers a walk can collect."""
    controllers = _controllers(space)
    own = {name for d in space.decisions() if d.in_stages and d.stages is not None for name in d.names()}
    total = 0
    for shared, asked in _explore(space.resolve, {}, controllers - own):
        points = math.prod(len(asked[name]) for name in asked if name not in shared and name not in own)
        for stage in range(space.stages):
            points *= _count_stage(space, stage, shared, own, controllers & own)
        total += points
    return total


def _count_stage(space: SearchSpace, stage: int, shared: Answers, own: set[str], controllers: set[str]) -> int:
    """The number of sets of answers one stage adds, given the shared ones."""

    def walk_stage(walk: Walk) -> Any:
        return space.resolve_stage(walk, stage)

    return sum(
        math.prod(len(asked[name]) for name in asked if name in own and name not in fixed)
        for fixed, asked in _explore(walk_stage, shared, controllers)
    )


def _explore(
    resolve: Callable[[Walk], Any], given: Answers, controllers: set[str]
) -> Iterator[tuple[Answers, dict[str, Dimension]]]:
    """Every combination of the controllers' answers with all that is asked under it; the rest answer their first."""
    pending: list[Answers] = [dict(given)]
    while pending:
        fixed = pending.pop()
        asked: dict[str, Dimension] = {}

        def ask(name: str, dimension: Dimension, fixed: Answers = fixed, asked: dict[str, Dimension] = asked) -> Value:
            asked[name] = dimension
            if name in controllers and name not in fixed:
                pending.extend({**fixed, name: value} for value in dimension.values[1:])
                fixed[name] = dimension.values[0]
            return fixed.get(name, dimension.values[0])

        resolve(Walk(ask))
        yield fixed, asked


def _controllers(space: SearchSpace) -> set[str]:
    """Names of the decisions that change which questions follow."""
    found: set[str] = set()
    for tree in (*space.top.values(), *space.columns.values()):
        found |= {name for decision in _controlling(tree) for name in decision.names()}
    return found


def _controlling(tree: Tree) -> Iterator[Decision]:
    if isinstance(tree, Decision) and any(True for child in tree.children() for _ in child.decisions()):
        yield tree
    if isinstance(tree, Struct):
        tested = {name for field in tree.fields.values() if isinstance(field, When) for name in field.tests}
        for name in tested & set(tree.fields):
            yield from tree.fields[name].decisions()
    for child in tree.children():
        yield from _controlling(child)
