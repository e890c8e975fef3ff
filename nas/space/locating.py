"""The inverse of a walk: which answers give a certain architecture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
    wanted: list[tuple[Tree | None, Any, int, int]] = [
        (top.get("stem"), architecture.stem, 0, 0),
        (top.get("head"), architecture.head, 0, 0),
        (top.get("drop_path", Fixed(0.0, top["stem"].mark)), architecture.drop_path, 0, 0),
    ]
    for index, stage in enumerate(architecture.stages):
        wanted += _stage_wants(columns, stage, index)
    yield from _fit_all(wanted, {})


def _stage_wants(columns: Mapping[str, Tree], stage: Stage, index: int) -> Iterator[tuple[Tree | None, Any, int, int]]:
    for name in ("depth", "width", "norm", "downsample"):
        if name == "downsample" and index == 0:
            continue
        value = getattr(stage, name)
        if name in columns or value is not None:
            yield columns.get(name), value, index, 0
    for position in range(stage.depth):
        yield columns["block"], stage.block(position), index, position


def _fit_all(wanted: list[tuple[Tree | None, Any, int, int]], known: Answers) -> Iterator[Answers]:
    if not wanted:
        yield known
        return
    (tree, value, stage, position), *rest = wanted
    if tree is None:
        return
    for answers in _fit(tree, value, stage, position, known, {}):
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
    plain = {name: one.kind if isinstance(one, Spec) else one for name, one in found.items()}

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
