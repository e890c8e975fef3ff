"""The leaves of a space file and the parts around them, read strictly: every problem is noted with its place.

The language of a leaf: a value; `{choice: [...]}`; `{int: [low, high], step: n}`; under `stages` also a list with one
entry a stage, `{base: ..., ratio: [...]}` (one value times a factor a stage), `{pattern: [...]}` (repeated over the
blocks of a stage), and `{when: {field: test}, then: ..., else: ...}`. `per: stage` asks a choice for every stage,
`per: block` in a block for every block of every stage, and
`at_most: 2 maps` drops from it what is larger than twice the side of the stage's map (`at_most: 13`: larger than 13).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from nas.errors import FieldError
from nas.layers import Block, Family, family_of
from nas.plugins import problem_with
from nas.registry import did_you_mean
from nas.schema.fields import FieldType, field_types, shown
from nas.schema.nodes import Node
from nas.space.conditions import test_of, test_problem, unwritten
from nas.space.dimension import Dimension, Value
from nas.space.keys import STAGE_FIELDS, WORDS, Word
from nas.space.questions import read_choice, read_range
from nas.space.reading import Reading, Scope
from nas.space.tree import (
    Fixed,
    Here,
    Items,
    Pattern,
    PerStage,
    Scaled,
    Struct,
    Test,
    Tree,
    Walk,
    When,
    conditions,
    has_pattern,
    is_per_block,
    numbers,
    pattern_lengths,
)

_MAX_FACTOR = 1000


@dataclass(frozen=True, kw_only=True)
class Leaves(Reading):
    """Reads leaves and parts, by what is known of the file around them."""

    def _same(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        """The answer to a number of the linear rule once more."""
        named = node.mapping["same"]
        if not isinstance(named.value, str) or named.value not in self.numbers:
            known = ", ".join(self.numbers) or "this space has no 'linear'"
            self.problems.add(named.mark, f"{scope.path}: same takes a number of the linear rule: {known}")
            return None
        tree = self.numbers[named.value]
        problem = next(filter(None, map(kind.problem, numbers(tree))), None)
        if problem is not None:
            self.problems.add(named.mark, f"{scope.path}: {problem}")
            return None
        return tree

    def fields(self, node: Node, types: Mapping[str, FieldType], scope: Scope) -> dict[str, Tree]:
        """The trees of the fields of a mapping that are written and have no problems."""
        trees = {}
        for name, kind in types.items():
            child = node.mapping.get(name)
            if child is None:
                if kind.default is dataclasses.MISSING:
                    place = scope.path or ("stages" if scope.in_stages else "the space")
                    self.problems.add(node.mark, f"the key {name!r} of {place} is missing")
                continue
            beside = {other: types[other] for other in types if other != name}
            inner = replace(scope.below(name), beside=beside, in_block=scope.in_block or kind.spec is Block)
            tree = self.value(child, kind, inner)
            if tree is not None:
                trees[name] = tree
        self._check_conditions(trees, scope)
        return trees

    def _check_conditions(self, trees: Mapping[str, Tree], scope: Scope) -> None:
        """Refuse conditions on what is not known when they are resolved."""
        for condition in (one for tree in trees.values() for one in conditions(tree)):
            for name in condition.tests:
                tested = trees.get(name)
                if tested is not None and any(True for _ in conditions(tested)):
                    self.problems.add(condition.mark, f"this tests {name!r}, which has a condition itself; "
                                      "test what that one tests")  # fmt: skip
                elif tested is not None and is_per_block(tested):
                    self.problems.add(condition.mark, f"this tests {name!r}, which is chosen per block; choose among "
                                      "whole parts per block instead")  # fmt: skip
                elif tested is not None and not scope.in_block and has_pattern(tested):
                    self.problems.add(condition.mark, f"this tests {name!r}, which is a pattern: not the same in all "
                                      "blocks of a stage")  # fmt: skip

    def value(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        """The tree of one leaf or part; None when it has problems."""
        if node.is_list:
            return self._items(node, kind, scope) if kind.many else self._per_stage(node, kind, scope)
        for word in WORDS:
            if word in node.mapping:
                self.refuse(node, WORDS[word], f"a {word!r} leaf")
                return self._readers[word](self, node, kind, scope)
        if kind.spec is not None and not _is_literal(kind, node.value):
            return self._spec(node, family_of(kind.spec), scope)
        problem = _not_a_leaf(node, kind) if node.is_mapping else kind.problem(node.value)
        if problem is not None:
            self.problems.add(node.mark, f"{scope.path}: {problem}")
            return None
        return Fixed(node.value, node.mark)

    def _spec(self, node: Node, family: Family[Any], scope: Scope) -> Tree | None:
        named = node.mapping.get("kind") if node.is_mapping else node
        kinds = ", ".join(family)
        if named is None:
            first = next(iter(node.mapping), "")
            hint = did_you_mean(first, ("kind", *WORDS)) if first else "write 'kind: …'"
            self.problems.add(node.mark, f"{scope.path}: which {family.kind}? {hint}; the kinds are {kinds}")
            return None
        if named.value is None:
            self.problems.add(named.mark, f"{scope.path}: which {family.kind}? One of {kinds}")
            return None
        if not isinstance(named.value, str):
            advice = "; to choose between kinds, put the choice around the whole" if named.is_mapping else ""
            self.problems.add(named.mark, f"{scope.path}: {shown(named.plain())} is no {family.kind}{advice}; "
                              f"the kinds are {kinds}")  # fmt: skip
            return None
        origin = node.mapping.get("plugin")
        problem = None if origin is None else problem_with(origin.plain())
        if origin is not None and problem is not None:
            self.problems.add(origin.mark, f"{scope.path}: {problem}")
            return None
        if named.value not in family:
            self.problems.add(named.mark, f"unknown {family.kind} {named.value!r}; {did_you_mean(named.value, family)}")
            return None
        types = field_types(family[named.value])
        before = len(self.problems)
        if origin is not None and not family[named.value].is_of(str(origin.value)):
            self.problems.add(origin.mark, f"{family.kind} {named.value!r} is not of {origin.value}; leave this out")
        self.refuse(node, ("kind", *types, *(() if origin is None else ("plugin",))), f"{family.kind} {named.value!r}")
        fields = self.fields(node, types, scope) if node.is_mapping else {}
        tree = Struct(fields, node.mark, named.value)
        if len(self.problems) == before:
            self._try(tree, family, node, scope)
        return tree

    def _try(self, tree: Struct, family: Family[Any], node: Node, scope: Scope) -> None:
        """Make the spec once if nothing in it is open, for the rules that join its fields."""
        if any(True for _ in tree.decisions()):
            return
        for stage in scope.stages or scope.every_stage:
            resolved = tree.resolve(Walk(_nobody), Here(stage))
            if any(True for _ in pattern_lengths(resolved)):
                return
            try:
                family.read(resolved)
            except FieldError as error:
                self.problems.add(node.key_mark(error.field), f"{scope.path}.{error}")
                return

    def _items(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        entries = [self.value(item, kind.entry, scope.below(index)) for index, item in enumerate(node.items)]
        return Items(tuple(entries), node.mark) if None not in entries else None  # type: ignore[arg-type]

    def _per_stage(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        if not scope.in_stages or scope.in_list:
            where = "inside another list" if scope.in_stages else "outside 'stages'"
            self.problems.add(node.mark, f"{scope.path}: a list means one entry a stage; it has no meaning {where}")
            return None
        if not self.has_one_a_stage(node, scope):
            return None
        scopes = (replace(scope, stages=(index,), in_list=True) for index in range(scope.count))
        entries = [self.value(item, kind, inner) for item, inner in zip(node.items, scopes, strict=True)]
        if kind is STAGE_FIELDS["downsample"] and scope.path != "downsample" and node.items[0].value is not None:
            told = "in an option the first stage has no downsample; write null, or the list without a choice around it"
            self.problems.add(node.items[0].mark, told)
        return PerStage(tuple(entries), node.mark) if None not in entries else None  # type: ignore[arg-type]

    def _scaled(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        ratio = node.mapping.get("ratio")
        if not scope.in_stages or scope.in_list or int not in kind.plain:
            self.problems.add(node.mark, f"{scope.path}: 'base' with 'ratio' gives whole numbers, one a stage; "
                              "it has no meaning here")  # fmt: skip
            return None
        if ratio is None or not ratio.items or not all(_is_factor(one.value) for one in ratio.items):
            mark = node.mark if ratio is None else ratio.mark
            self.problems.add(mark, f"{scope.path}: 'base' needs 'ratio', a list with one positive factor a stage")
            return None
        base = self.value(node.mapping["base"], kind, scope.below("base"))
        if base is not None and (has_pattern(base) or _is_scaled(base)):
            self.problems.add(base.mark, f"{scope.path}: a base can be neither a pattern nor another base")
            return None
        if not self.has_one_a_stage(ratio, scope) or base is None:
            return None
        scaled = Scaled(base, tuple(float(one.plain()) for one in ratio.items), node.mark)
        for value, factor in itertools.product(numbers(base), ratio.items):
            problem = kind.problem(scaled.times(value, factor.plain()))
            if problem is not None:
                self.problems.add(factor.mark, f"{scope.path}: {problem} ({value} times {factor.plain()})")
                return None
        return scaled

    def _pattern(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        listed = node.mapping["pattern"]
        if not scope.in_block:
            self.problems.add(node.mark, f"{scope.path}: a pattern repeats over the blocks of a stage; only in 'block'")
            return None
        if not listed.items:
            self.problems.add(listed.mark, f"{scope.path}: a pattern is a list of at least one entry")
            return None
        entries = [self.value(item, kind, scope.below(index)) for index, item in enumerate(listed.items)]
        return Pattern(tuple(entries), node.mark) if None not in entries else None  # type: ignore[arg-type]

    def _when(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        if scope.in_stages and scope.stages is None:
            scope = replace(scope, stages=scope.every_stage)
        tests = dict(self._tests(node.mapping["when"], scope))
        then, other = node.mapping.get("then"), node.mapping.get("else")
        if then is None or other is None:
            self.problems.add(node.mark, f"{scope.path}: a condition needs 'when', 'then' and 'else'")
            return None
        branches = self.value(then, kind, scope), self.value(other, kind, scope.below("else"))
        if branches[0] is None or branches[1] is None:
            return None
        without = {name: unwritten(scope.beside[name]) for name in tests}
        return When(tests, branches[0], branches[1], node.mark, without)

    def _tests(self, node: Node, scope: Scope) -> Iterator[tuple[str, Test]]:
        if not node.mapping:
            self.problems.add(node.mark, f"{scope.path}: when takes fields with a test: {{kernel: '>= 13'}}")
        for name, wanted in node.mapping.items():
            if name not in scope.beside:
                hint = did_you_mean(name, scope.beside)
                self.problems.add(node.key_mark(name), f"{scope.path}: no field {name!r} beside this one; {hint}")
                continue
            problem = test_problem(wanted, scope.beside[name])
            if problem is None:
                yield name, test_of(wanted.plain())
            else:
                self.problems.add(wanted.mark, f"{scope.path}: the test of {name} {problem}")

    _readers: ClassVar[Mapping[Word, Callable[[Leaves, Node, FieldType, Scope], Tree | None]]] = {
        "choice": read_choice,
        "int": read_range,
        "base": _scaled,
        "pattern": _pattern,
        "when": _when,
        "same": _same,
    }


def _not_a_leaf(node: Node, kind: FieldType) -> str:
    """Why a mapping cannot stand where a scalar is expected."""
    word = next(iter(node.mapping), None)
    if word is None:
        return f"must be {kind.expected}, not an empty mapping"
    return f"must be {kind.expected}, or open as a choice, int …; unknown key {word!r}, {did_you_mean(word, WORDS)}"


def _is_literal(kind: FieldType, value: Any) -> bool:
    return (bool(kind.plain) or value is None) and kind.problem(value) is None


def _is_factor(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MAX_FACTOR


def _is_scaled(tree: Tree) -> bool:
    return isinstance(tree, Scaled) or any(_is_scaled(child) for child in tree.children())


def _nobody(name: str, dimension: Dimension) -> Value:
    raise AssertionError(f"{name} is fixed")
