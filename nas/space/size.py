"""The exact size of a space, without visiting its points.

Only *controllers*, the decisions that change which questions follow, are enumerated; all others multiply. Decisions
that a stage makes alone are counted stage by stage, so that stages multiply too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from nas.space.dimension import Answers, Dimension, Value
from nas.space.root import Root
from nas.space.tree import Decision, Here, Struct, Tree, Walk


def count_points(root: Root) -> int:
    """The number of different sets of answers a walk can collect."""
    return _count_top(root) * _count_stages(root)


def controllers(root: Root) -> set[str]:
    """Names of the decisions that change which questions follow."""
    return _controllers(root.top) | _of_stages(root)


def _of_stages(root: Root) -> set[str]:
    """The same of those that stages ask."""
    leaving = set() if root.count is None else {name for one in root.count.decisions() for name in one.names()}
    if root.asks_per_block or any(map(root.may_leave_out, range(root.counts[0]))):
        leaving |= {name for one in _deciding(root.columns.fields["depth"]) for name in one.names()}
    return leaving | _controllers(root.columns)


def _count_top(root: Root) -> int:
    def walk_top(walk: Walk) -> Any:
        return root.top.resolve(walk, Here())

    explored = _explore(walk_top, {}, _controllers(root.top))
    return sum(math.prod(len(asked[name]) for name in asked if name not in fixed) for fixed, asked in explored)


def _count_stages(root: Root) -> int:
    def walk_stages(walk: Walk) -> Any:
        return [root.resolve_stage(walk, stage) for stage in range(root.stages)]

    controllers = _of_stages(root)
    own = {name for d in root.columns.decisions() if d.stages is not None for name in d.names()}
    total = 0
    for shared, asked in _explore(walk_stages, {}, controllers - own):
        points = math.prod(len(asked[name]) for name in asked if name not in shared and name not in own)
        for stage in range(root.stages):
            points *= _count_stage(root, stage, shared, own, controllers & own)
        total += points
    return total


def _count_stage(root: Root, stage: int, shared: Answers, own: set[str], controllers: set[str]) -> int:
    """The number of sets of answers one stage adds, given the shared ones."""

    def walk_stage(walk: Walk) -> Any:
        return root.resolve_stage(walk, stage)

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


def _controllers(tree: Tree) -> set[str]:
    """Names of the decisions that change which questions follow."""
    return {name for decision in _controlling(tree) for name in decision.names()}


def _controlling(tree: Tree) -> Iterator[Decision]:
    if isinstance(tree, Decision) and any(True for child in tree.children() for _ in child.decisions()):
        yield tree
    if isinstance(tree, Struct):
        for name in set(tree.tested()) & set(tree.fields):
            yield from _deciding(tree.fields[name])
    for child in tree.children():
        yield from _controlling(child)


def _deciding(tree: Tree) -> Iterator[Decision]:
    """The decisions that decide what `tree` itself is, a scalar or a kind, and not what it has inside."""
    if isinstance(tree, Decision):
        yield tree
    if not isinstance(tree, Struct):
        for child in tree.children():
            yield from _deciding(child)
