"""Leaves that ask: a choice, a range, one answer a stage or a block, and limits by the size of a stage's map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nas.schema.fields import FieldType, shown
from nas.schema.nodes import Node
from nas.space.dimension import Choice, Range, Value
from nas.space.limits import cut, most_of
from nas.space.reading import Reading, Scope
from nas.space.tree import Decision, Fixed, PerBlock, PerStage, Tree

_MAX_OPTIONS = 10_000


def read_choice(by: Reading, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
    """`{choice: [...]}`; None when it has problems, which are noted."""
    listed = node.mapping["choice"]
    if not listed.items:
        by.problems.add(listed.mark, f"{scope.path}: a choice is a list of at least one option")
        return None
    if _is_per_block(node):
        return _per_block(by, node, kind, scope)
    stages = _stages_asked(by, node, scope)
    inside = replace(scope, stages=stages)
    labels = option_labels(listed.items)
    options: list[Any] = []
    broken = False
    branches: dict[Value, Tree] = {}
    for label, item in zip(labels, listed.items, strict=True):
        is_part = item.is_mapping or item.is_list
        tree = by.value(item, kind, inside.below(str(label)) if is_part else inside)
        if tree is None:
            broken = True
            continue
        if item.plain() in options:
            by.problems.add(item.mark, f"{scope.path}: the option {shown(item.plain())} is listed twice")
        options.append(item.plain())
        if not (isinstance(tree, Fixed) and tree.value == label):
            branches[label] = tree
    if broken:
        return None
    decision = Decision(scope.path, Choice(labels), node.mark, branches, stages, scope.in_stages)
    return _limited(by, node, decision, scope)


def read_range(by: Reading, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
    """`{int: [low, high], step: n}`; None when it has problems, which are noted."""
    if _is_per_block(node):
        return _per_block(by, node, kind, scope)
    bounds, step = node.mapping["int"].plain(), node.mapping.get("step")
    if not _two_whole_numbers(bounds):
        by.problems.add(node.mapping["int"].mark, f"{scope.path}: int takes [low, high], two whole numbers")
        return None
    width = 1 if step is None else step.value
    if not isinstance(width, int) or isinstance(width, bool) or width < 1:
        by.problems.add(step.mark if step else node.mark, f"{scope.path}: step must be a whole number above 0")
        return None
    dimension = Range(bounds[0], bounds[1], width)
    if bounds[0] > bounds[1]:
        by.problems.add(node.mapping["int"].mark, f"{scope.path}: the range {bounds} is empty; write [low, high]")
        return None
    for value in (bounds[0], dimension.values[-1], *dimension.values[:_MAX_OPTIONS]):
        problem = kind.problem(value)
        if problem is not None:
            by.problems.add(node.mapping["int"].mark, f"{scope.path}: {problem}")
            return None
    if len(dimension) > _MAX_OPTIONS:
        by.problems.add(node.mark, f"{scope.path}: more than {_MAX_OPTIONS} values; add a larger 'step'")
        return None
    stages = _stages_asked(by, node, scope)
    return _limited(by, node, Decision(scope.path, dimension, node.mark, {}, stages, scope.in_stages), scope)


def _per_block(by: Reading, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
    """A decision for every block of every stage, as many as the stage can have."""
    if not scope.in_block or scope.per_block:
        told = "'per: block' asks a choice for every block of a stage; it stands once, in 'block'"
        by.problems.add(node.mapping["per"].mark, f"{scope.path}: {told}")
        return None
    if by.numbers and not by.deepest:
        told = "'per: block' has to know the depth of every stage, which 'linear' does not say; write 'per: stage'"
        by.problems.add(node.mapping["per"].mark, f"{scope.path}: {told}")
        return None
    if not by.deepest:
        return None  # depth has problems, which are reported
    plain = Node({word: one for word, one in node.mapping.items() if word != "per"}, node.mark, node.keys)
    stages = []
    for stage, deepest in enumerate(by.deepest):
        inner = replace(scope, stages=(stage,), per_block=True)
        if scope.stages is not None and stage not in scope.stages:
            deepest = 0
        entries = [by.value(plain, kind, inner.below(index)) for index in range(deepest)]
        if None in entries:
            return None
        stages.append(PerBlock(tuple(entries), node.mark))  # type: ignore[arg-type]
    if any(len({inside.path for inside in one.decisions()}) > 1 for stage in stages for one in stage.entries):
        told = "what is chosen per block may hold no decisions of its own; choose these per stage"
        by.problems.add(node.mark, f"{scope.path}: {told}")
        return None
    return PerStage(tuple(stages), node.mark)


def _limited(by: Reading, node: Node, decision: Decision, scope: Scope) -> Tree | None:
    """The decision without the numbers above its `at_most`, which may differ from stage to stage."""
    limit = node.mapping.get("at_most")
    if limit is None:
        return decision
    most = most_of(limit.value)
    if most is None or not scope.in_stages:
        by.problems.add(limit.mark, f"{scope.path}: at_most takes a number or '2 maps', and only under 'stages'")
        return None
    if not by.maps:
        return decision  # stem or downsample have problems, which are reported
    limits = {stage: most(by.maps[stage]) for stage in decision.stages or range(scope.count)}
    if decision.stages is None:
        limits = dict.fromkeys(limits, min(limits.values()))
    entries = {stage: cut(decision, stage, highest) for stage, highest in limits.items()}
    for stage, entry in entries.items():
        if not len(entry.dimension):
            told = f"{scope.path}: nothing is left at or below {limits[stage]:g} in stage {stage + 1}"
            by.problems.add(limit.mark, f"{told}, whose map is {by.maps[stage]}x{by.maps[stage]}")
            return None
    anyone = next(iter(entries.values()))  # also stands where the decision is never asked
    if decision.stages is None:
        return anyone
    return PerStage(tuple(entries.get(stage, anyone) for stage in range(scope.count)), node.mark)


def _stages_asked(by: Reading, node: Node, scope: Scope) -> tuple[int, ...] | None:
    per = node.mapping.get("per")
    if per is None:
        return scope.stages
    if per.value != "stage":
        by.problems.add(per.mark, f"{scope.path}: per takes 'stage' or 'block', got {shown(per.plain())}")
    elif not scope.in_stages:
        by.problems.add(per.mark, f"{scope.path}: 'per: stage' has no meaning outside 'stages'")
    elif scope.stages is None:
        return scope.every_stage
    return scope.stages


def _is_per_block(node: Node) -> bool:
    per = node.mapping.get("per")
    return per is not None and per.value == "block"


def option_labels(options: Sequence[Node]) -> tuple[Value, ...]:
    """What each option is called: a value calls itself, a part by its kind, a list by its entries."""
    taken: list[Value] = [one.value for one in options if not (one.is_mapping or one.is_list)]  # type: ignore[misc]
    labels: list[Value] = []
    for option in options:
        if option.is_mapping or option.is_list:
            name = _part_name(option)
            numbered = (f"{name}-{number}" for number in range(2, len(options) + 2))
            labels.append(name if name not in taken else next(one for one in numbered if one not in taken))
            taken.append(labels[-1])
        else:
            labels.append(option.value)  # type: ignore[arg-type]  # a scalar, by the test above
    return tuple(labels)


def _part_name(option: Node) -> str:
    if option.is_list:
        return shown(option.plain())
    kind = option.mapping.get("kind")
    return str(kind.value) if kind is not None else next(iter(option.mapping), "part")


def _two_whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
