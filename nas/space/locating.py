"""The inverse of a walk: which answers give a certain architecture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nas.architecture import Architecture, Stage
from nas.layers import Spec
from nas.schema.fields import field_types
from nas.space.dimension import Value
from nas.space.tree import Decision, Fixed, Pattern, PerStage, Scaled, Struct, Tree, When

Answers = dict[str, Value]


def locate(
    top: Mapping[str, Tree], columns: Mapping[str, Tree], stages: int, architecture: Architecture
) -> Iterator[Answers]:
    """Candidates for the answers that give `architecture`; a caller proves one by building it."""
    if len(architecture.stages) != stages:
        return
    whole = {"stem": architecture.stem, "head": architecture.head, "drop_path": architecture.drop_path}
    trees = {"drop_path": Fixed(0.0, top["stem"].mark), **top}
    wanted = [Want(trees.get(name), value, _plain(whole)) for name, value in whole.items()]
    for index, stage in enumerate(architecture.stages):
        wanted += _stage_wants(columns, stage, index)
    yield from _fit_all(wanted, {})


class Want(NamedTuple):
    """A tree that must give a value, and where."""

    tree: Tree | None
    value: Any
    siblings: Mapping[str, Any]
    stage: int = 0
    position: int = 0


def _stage_wants(columns: Mapping[str, Tree], stage: Stage, index: int) -> Iterator[Want]:
    row = {name: getattr(stage, name) for name in ("depth", "width", "norm", "downsample")}
    siblings = _plain({**row, "block": stage.block(0)})
    for name, value in row.items():
        if name == "downsample" and index == 0:
            continue
        if name in columns or value is not None:
            yield Want(columns.get(name), value, siblings, index)
    for position in range(min(stage.depth, math.lcm(len(stage.blocks), *_periods(columns["block"])))):
        yield Want(columns["block"], stage.block(position), siblings, index, position)


def _periods(tree: Tree) -> Iterator[int]:
    """The lengths of the patterns at or below a tree; beyond their common multiple blocks repeat."""
    if isinstance(tree, Pattern):
        yield len(tree.entries)
    for child in tree.children():
        yield from _periods(child)


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as conditions see them: a part is its kind."""
    return {name: one.kind if isinstance(one, Spec) else one for name, one in fields.items()}


def _fit_all(wanted: list[Want], known: Answers) -> Iterator[Answers]:
    if not wanted:
        yield known
        return
    (tree, value, siblings, stage, position), *rest = wanted
    if tree is None:
        return
    for answers in _fit(tree, value, stage, position, known, siblings):
        yield from _fit_all(rest, answers)


def _fit(
    tree: Tree, value: Any, stage: int, position: int, known: Answers, siblings: Mapping[str, Any]
) -> Iterator[Answers]:
    """The ways to extend `known` so that `tree` gives `value` at this stage and block."""
    if isinstance(tree, Fixed):
        if tree.value == value and isinstance(tree.value, bool) == isinstance(value, bool):
            yield known
    elif isinstance(tree, Decision):
        yield from _fit_decision(tree, value, stage, position, known, siblings)
    elif isinstance(tree, Struct):
        yield from _fit_struct(tree, value, stage, position, known)
    elif isinstance(tree, PerStage):
        yield from _fit(tree.entries[stage], value, stage, position, known, siblings)
    elif isinstance(tree, Pattern):
        entry = tree.entries[position % len(tree.entries)]
        yield from _fit(entry, value, stage, position, known, siblings)
    elif isinstance(tree, When):
        branch = tree.then if tree.holds(siblings) else tree.otherwise
        yield from _fit(branch, value, stage, position, known, siblings)
    elif isinstance(tree, Scaled):
        for base in _bases(tree, value, stage):
            yield from _fit(tree.base, base, stage, position, known, siblings)


def _fit_decision(
    tree: Decision, value: Any, stage: int, position: int, known: Answers, siblings: Mapping[str, Any]
) -> Iterator[Answers]:
    name = tree.name(stage)
    answers = [known[name]] if name in known else tree.dimension.values
    for answer in answers:
        branch = tree.branches.get(answer, Fixed(answer, tree.mark))
        yield from _fit(branch, value, stage, position, {**known, name: answer}, siblings)


def _fit_struct(tree: Struct, value: Any, stage: int, position: int, known: Answers) -> Iterator[Answers]:
    if not isinstance(value, Spec) or value.kind != tree.kind:
        return
    found = {name: getattr(value, name) for name in field_types(type(value))}
    for name, kind in field_types(type(value)).items():
        if name not in tree.fields and found[name] != kind.default:
            return
    plain = _plain(found)

    def extend(names: list[str], known: Answers) -> Iterator[Answers]:
        if not names:
            yield known
            return
        for answers in _fit(tree.fields[names[0]], found[names[0]], stage, position, known, plain):
            yield from extend(names[1:], answers)

    yield from extend(list(tree.fields), known)


def _bases(tree: Scaled, value: Any, stage: int) -> list[Any]:
    """The base values whose scaled value at `stage` is `value`."""
    if isinstance(tree.base, Fixed):
        options: list[Any] = [tree.base.value]
    else:
        options = [one for decision in tree.base.decisions() for one in decision.dimension.values]
    return [base for base in dict.fromkeys(options) if round(base * tree.ratios[stage]) == value]
