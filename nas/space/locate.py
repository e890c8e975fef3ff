"""The inverse of a walk: which answers give a certain architecture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nas.architecture import Architecture, Stage
from nas.errors import FieldError
from nas.layers import Spec
from nas.schema.fields import field_types
from nas.schema.problems import Mark
from nas.space.askers import following
from nas.space.dimension import Answers
from nas.space.linear import LinearDepth, Stages
from nas.space.root import Root
from nas.space.tree import (
    AfterFirst,
    Computed,
    Decision,
    Fixed,
    Items,
    Pattern,
    PerBlock,
    PerStage,
    Scaled,
    Struct,
    Tree,
    When,
    is_per_block,
    numbers,
)


class Wanted(NamedTuple):
    """A value that a tree has to give, and where.

    Attributes:
        tree: the tree.
        value: a scalar or a spec.
        stage: the stage.
        position: the block in the stage.
        siblings: the fields beside it, parts by their kind.
    """

    tree: Tree
    value: Any
    stage: int
    position: int
    siblings: Mapping[str, Any]


def locate(root: Root, architecture: Architecture) -> Answers | None:
    """The answers that give `architecture`, or None if it is no point of the space."""
    for answers in _possible(root, architecture):
        try:
            built, asked = root.choices(following(answers))  # what leaves no trace in it is answered with anything
        except FieldError:
            continue
        if built == architecture:
            return asked
    return None


def _possible(root: Root, architecture: Architecture) -> Iterator[Answers]:
    """Answers that may give `architecture`.

    What the architecture says nothing of, such as the second entry of a pattern in a stage of one block, is left out.
    """
    for count, places in _placings(root, len(architecture.stages)):
        yield from _placed(root, architecture, count, places)


def _placings(root: Root, stages: int) -> Iterator[tuple[int, Sequence[int]]]:
    """The ways to leave out stages: how many the space has then, and which of them the network has, by index."""
    for count in root.counts:
        for places in itertools.combinations(range(count), stages):
            if len(places) == count or root.may_leave_out(0):
                yield count, places


def _placed(root: Root, architecture: Architecture, count: int, places: Sequence[int]) -> Iterator[Answers]:
    """The same, for one way to leave out stages."""
    top, columns = root.top, root.columns
    wanted = _wants(
        top, {name: getattr(architecture, name) for name in ("stem", "head", "drop_path", "resolution")}, 0, 0
    )
    if root.count is not None:
        wanted.append(Wanted(root.count, count, 0, 0, {}))
    wanted += [Wanted(columns.fields["depth"], 0, one, 0, {}) for one in range(count) if one not in places]
    for index, stage in zip(places, architecture.stages, strict=True):
        for position in range(_positions(columns.fields["block"], stage)):
            values = {name: getattr(stage, name) for name in ("depth", "width", "norm", "downsample")}
            wanted += _wants(columns, {**values, "block": stage.block(position)}, index, position)
    top_is_said = _says_all(top, architecture.drop_path, 0.0, "drop_path") and _says_all(
        top, architecture.resolution, None, "resolution"
    )
    if top_is_said and all(
        _says_all(columns, getattr(stage, name), None, name)
        for stage in architecture.stages
        for name in ("norm", "downsample")
    ):
        for known in _by_rule(columns.fields["depth"], architecture):
            yield from _fit_all(wanted, known)


def _by_rule(depth: Tree, architecture: Architecture) -> Iterator[Answers]:
    """The answers to the linear rule that give the depths and widths; none where there is no such rule."""
    if not isinstance(depth, LinearDepth):
        yield {}
        return
    stages = architecture.stages
    wanted = Stages(tuple(one.depth for one in stages), tuple(one.width for one in stages))
    yield from depth.rule.solutions(wanted)


def _says_all(struct: Struct, value: Any, default: Any, name: str) -> bool:
    """Whether a field that the space leaves out is at its default."""
    return name in struct.fields or value == default


def _positions(block: Tree, stage: Stage) -> int:
    """How many blocks of a stage have to be looked at before everything repeats."""
    if is_per_block(block):
        return stage.depth
    return min(stage.depth, math.lcm(len(stage.blocks), *_pattern_sizes(block)))


def _pattern_sizes(tree: Tree) -> Iterator[int]:
    if isinstance(tree, Pattern):
        yield len(tree.entries)
    for child in tree.children():
        yield from _pattern_sizes(child)


def _wants(struct: Struct, values: Mapping[str, Any], stage: int, position: int) -> list[Wanted]:
    siblings = {name: one.kind if isinstance(one, Spec) else one for name, one in values.items()}
    return [Wanted(tree, values[name], stage, position, siblings) for name, tree in struct.fields.items()]


def _fit_all(wanted: Sequence[Wanted], known: Answers) -> Iterator[Answers]:
    """The ways to extend `known` so that everything wanted is given; a stack, because there may be thousands."""
    if not wanted:
        yield known
        return
    stack = [_fit(wanted[0], known)]
    while stack:
        answers = next(stack[-1], None)
        if answers is None:
            stack.pop()
        elif len(stack) == len(wanted):
            yield answers
        else:
            stack.append(_fit(wanted[len(stack)], answers))


def _fit(wanted: Wanted, known: Answers) -> Iterator[Answers]:
    """The ways to extend `known` so that the tree gives the value at this stage and block."""
    tree, value, stage, position, siblings = wanted
    if isinstance(tree, Fixed):
        if tree.value == value and isinstance(tree.value, bool) == isinstance(value, bool):
            yield known
    elif isinstance(tree, Decision):
        yield from _fit_decision(tree, wanted, known)
    elif isinstance(tree, Computed):
        yield known  # its answers are there already, see `_by_rule`
    elif isinstance(tree, Struct):
        yield from _fit_struct(tree, wanted, known)
    elif isinstance(tree, Items):
        if isinstance(value, tuple) and len(value) == len(tree.entries):
            pairs = zip(tree.entries, value, strict=True)
            yield from _fit_all([wanted._replace(tree=entry, value=one) for entry, one in pairs], known)
    elif isinstance(tree, Scaled):
        for base in dict.fromkeys(numbers(tree.base)):
            if tree.times(base, tree.ratios[stage]) == value:
                yield from _fit(wanted._replace(tree=tree.base, value=base), known)
    else:
        yield from _fit(wanted._replace(tree=_here(tree, stage, position, siblings)), known)


def _here(tree: Tree, stage: int, position: int, siblings: Mapping[str, Any]) -> Tree:
    """The one child that counts at this stage and block."""
    if isinstance(tree, PerStage):
        return tree.entries[stage]
    if isinstance(tree, Pattern):
        return tree.entries[position % len(tree.entries)]
    if isinstance(tree, PerBlock):
        return tree.entries[position] if position < len(tree.entries) else _NOTHING
    if isinstance(tree, When):
        return tree.then if tree.holds(siblings) else tree.otherwise
    if isinstance(tree, AfterFirst):
        return tree.later if stage else Fixed(None, tree.mark)
    raise TypeError(f"{type(tree).__name__} is no tree that leads on")


_NOTHING = Fixed(object(), Mark(1, 1))
"""Gives no value that a network has."""


def _fit_decision(tree: Decision, wanted: Wanted, known: Answers) -> Iterator[Answers]:
    name = tree.name(wanted.stage)
    answers = [known[name]] if name in known else tree.dimension.values
    for answer in answers:
        branch = tree.branches.get(answer, Fixed(answer, tree.mark))
        yield from _fit(wanted._replace(tree=branch), {**known, name: answer})


def _fit_struct(tree: Struct, wanted: Wanted, known: Answers) -> Iterator[Answers]:
    value = wanted.value
    if not isinstance(value, Spec) or value.kind != tree.kind:
        return
    types = field_types(type(value))
    found = {name: getattr(value, name) for name in types}
    if any(found[name] != kind.default for name, kind in types.items() if name not in tree.fields):
        return
    yield from _fit_all(_wants(tree, found, wanted.stage, wanted.position), known)
