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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from nas.errors import FieldError, shortened
from nas.layers import Block, Family, family_of
from nas.plugins import problem_with
from nas.registry import did_you_mean
from nas.schema.fields import FieldType, field_types, shown
from nas.schema.nodes import Node
from nas.schema.problems import Problems
from nas.space.conditions import test_of, test_problem, unwritten
from nas.space.dimension import Choice, Dimension, Range, Value
from nas.space.keys import STAGE_FIELDS, WORDS, Word
from nas.space.limits import cut, most_of
from nas.space.tree import (
    Decision,
    Fixed,
    Here,
    Items,
    Pattern,
    PerBlock,
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

_MAX_OPTIONS = 10_000
_MAX_FACTOR = 1000


@dataclass(frozen=True)
class Scope:
    """What a reader knows about the place it reads.

    Attributes:
        path: the name of decisions here, below `stages` or from the top.
        count: number of stages.
        in_stages: whether it is under `stages`.
        stages: the stages it belongs to one by one; None where it holds for all of them.
        in_list: whether it is an entry of a list, for one stage.
        in_block: whether it is in a block, where patterns mean something.
        per_block: whether it is asked for every block already.
        beside: the other fields of the mapping around, which conditions may name.
    """

    path: str = ""
    count: int = 1
    in_stages: bool = False
    stages: tuple[int, ...] | None = None
    in_list: bool = False
    in_block: bool = False
    per_block: bool = False
    beside: Mapping[str, FieldType] = dataclasses.field(default_factory=dict)

    def below(self, name: str | int) -> Scope:
        """The scope of a field or an entry."""
        return replace(self, path=f"{self.path}.{name}" if self.path else str(name))

    @property
    def column(self) -> str:
        """The field of a stage, or of the whole, that it is in."""
        return self.path.partition(".")[0]

    @property
    def every_stage(self) -> tuple[int, ...]:
        """The stages that have this field."""
        return tuple(range(1 if self.column == "downsample" else 0, self.count))


@dataclass(frozen=True, kw_only=True)
class Leaves:
    """Reads leaves and parts, by what is known of the file around them.

    Attributes:
        problems: where what is wrong is noted; nothing is raised.
        decided: what the number of stages was taken from, in words.
        maps: the side of each stage's map, for limits; empty where stem or downsample have problems.
        deepest: the most blocks that each stage can have; empty where depth has problems.
        numbers: the numbers of the linear rule, for `same`; empty without it.
    """

    problems: Problems
    decided: str = ""
    maps: Sequence[int] = ()
    deepest: Sequence[int] = ()
    numbers: Mapping[str, Tree] = dataclasses.field(default_factory=dict)

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
        if not self._one_a_stage(node, scope):
            return None
        scopes = (replace(scope, stages=(index,), in_list=True) for index in range(scope.count))
        entries = [self.value(item, kind, inner) for item, inner in zip(node.items, scopes, strict=True)]
        if kind is STAGE_FIELDS["downsample"] and scope.path != "downsample" and node.items[0].value is not None:
            told = "in an option the first stage has no downsample; write null, or the list without a choice around it"
            self.problems.add(node.items[0].mark, told)
        return PerStage(tuple(entries), node.mark) if None not in entries else None  # type: ignore[arg-type]

    def _choice(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        listed = node.mapping["choice"]
        if not listed.items:
            self.problems.add(listed.mark, f"{scope.path}: a choice is a list of at least one option")
            return None
        if _is_per_block(node):
            return self._per_block(node, kind, scope)
        stages = self._stages_asked(node, scope)
        inside = replace(scope, stages=stages)
        labels = option_labels(listed.items)
        options: list[Any] = []
        broken = False
        branches: dict[Value, Tree] = {}
        for label, item in zip(labels, listed.items, strict=True):
            is_part = item.is_mapping or item.is_list
            tree = self.value(item, kind, inside.below(str(label)) if is_part else inside)
            if tree is None:
                broken = True
                continue
            if item.plain() in options:
                self.problems.add(item.mark, f"{scope.path}: the option {shown(item.plain())} is listed twice")
            options.append(item.plain())
            if not (isinstance(tree, Fixed) and tree.value == label):
                branches[label] = tree
        if broken:
            return None
        decision = Decision(scope.path, Choice(labels), node.mark, branches, stages, scope.in_stages)
        return self._limited(node, decision, scope)

    def _int(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        if _is_per_block(node):
            return self._per_block(node, kind, scope)
        bounds, step = node.mapping["int"].plain(), node.mapping.get("step")
        if not _two_whole_numbers(bounds):
            self.problems.add(node.mapping["int"].mark, f"{scope.path}: int takes [low, high], two whole numbers")
            return None
        width = 1 if step is None else step.value
        if not isinstance(width, int) or isinstance(width, bool) or width < 1:
            self.problems.add(step.mark if step else node.mark, f"{scope.path}: step must be a whole number above 0")
            return None
        dimension = Range(bounds[0], bounds[1], width)
        if bounds[0] > bounds[1]:
            self.problems.add(node.mapping["int"].mark, f"{scope.path}: the range {bounds} is empty; write [low, high]")
            return None
        for value in (bounds[0], dimension.values[-1], *dimension.values[:_MAX_OPTIONS]):
            problem = kind.problem(value)
            if problem is not None:
                self.problems.add(node.mapping["int"].mark, f"{scope.path}: {problem}")
                return None
        if len(dimension) > _MAX_OPTIONS:
            self.problems.add(node.mark, f"{scope.path}: more than {_MAX_OPTIONS} values; add a larger 'step'")
            return None
        stages = self._stages_asked(node, scope)
        return self._limited(node, Decision(scope.path, dimension, node.mark, {}, stages, scope.in_stages), scope)

    def _per_block(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        """A decision for every block of every stage, as many as the stage can have."""
        if not scope.in_block or scope.per_block:
            told = "'per: block' asks a choice for every block of a stage; it stands once, in 'block'"
            self.problems.add(node.mapping["per"].mark, f"{scope.path}: {told}")
            return None
        if self.numbers and not self.deepest:
            told = "'per: block' has to know the depth of every stage, which 'linear' does not say; write 'per: stage'"
            self.problems.add(node.mapping["per"].mark, f"{scope.path}: {told}")
            return None
        if not self.deepest:
            return None  # depth has problems, which are reported
        plain = Node({word: one for word, one in node.mapping.items() if word != "per"}, node.mark, node.keys)
        stages = []
        for stage, deepest in enumerate(self.deepest):
            inner = replace(scope, stages=(stage,), per_block=True)
            if scope.stages is not None and stage not in scope.stages:
                deepest = 0
            entries = [self.value(plain, kind, inner.below(index)) for index in range(deepest)]
            if None in entries:
                return None
            stages.append(PerBlock(tuple(entries), node.mark))  # type: ignore[arg-type]
        if any(len({inside.path for inside in one.decisions()}) > 1 for stage in stages for one in stage.entries):
            told = "what is chosen per block may hold no decisions of its own; choose these per stage"
            self.problems.add(node.mark, f"{scope.path}: {told}")
            return None
        return PerStage(tuple(stages), node.mark)

    def _limited(self, node: Node, decision: Decision, scope: Scope) -> Tree | None:
        """The decision without the numbers above its `at_most`, which may differ from stage to stage."""
        limit = node.mapping.get("at_most")
        if limit is None:
            return decision
        most = most_of(limit.value)
        if most is None or not scope.in_stages:
            self.problems.add(limit.mark, f"{scope.path}: at_most takes a number or '2 maps', and only under 'stages'")
            return None
        if not self.maps:
            return decision  # stem or downsample have problems, which are reported
        limits = {stage: most(self.maps[stage]) for stage in decision.stages or range(scope.count)}
        if decision.stages is None:
            limits = dict.fromkeys(limits, min(limits.values()))
        entries = {stage: cut(decision, stage, highest) for stage, highest in limits.items()}
        for stage, entry in entries.items():
            if not len(entry.dimension):
                told = f"{scope.path}: nothing is left at or below {limits[stage]:g} in stage {stage + 1}"
                self.problems.add(limit.mark, f"{told}, whose map is {self.maps[stage]}x{self.maps[stage]}")
                return None
        anyone = next(iter(entries.values()))  # also stands where the decision is never asked
        if decision.stages is None:
            return anyone
        return PerStage(tuple(entries.get(stage, anyone) for stage in range(scope.count)), node.mark)

    def _stages_asked(self, node: Node, scope: Scope) -> tuple[int, ...] | None:
        per = node.mapping.get("per")
        if per is None:
            return scope.stages
        if per.value != "stage":
            self.problems.add(per.mark, f"{scope.path}: per takes 'stage' or 'block', got {shown(per.plain())}")
        elif not scope.in_stages:
            self.problems.add(per.mark, f"{scope.path}: 'per: stage' has no meaning outside 'stages'")
        elif scope.stages is None:
            return scope.every_stage
        return scope.stages

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
        if not self._one_a_stage(ratio, scope) or base is None:
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

    def _one_a_stage(self, listed: Node, scope: Scope) -> bool:
        if len(listed.items) == scope.count:
            return True
        if not listed.items:
            self.problems.add(listed.mark, f"{scope.path}: an empty list; a list has one entry a stage")
            return False
        entries = f"{len(listed.items)} {'entry' if len(listed.items) == 1 else 'entries'}"
        stages = f"{scope.count} {'stage' if scope.count == 1 else 'stages'}"
        self.problems.add(listed.mark, f"{scope.path}: a list of {entries} for {stages} (by {self.decided})")
        return False

    def refuse(self, node: Node, known: Collection[str], what: str) -> None:
        """Note every key that is not known."""
        for key in node.mapping:
            if key not in known:
                self.problems.add(node.key_mark(key), partial(_unknown_key, key, known, what))

    _readers: ClassVar[Mapping[Word, Callable[[Leaves, Node, FieldType, Scope], Tree | None]]] = {
        "choice": _choice,
        "int": _int,
        "base": _scaled,
        "pattern": _pattern,
        "when": _when,
        "same": _same,
    }


def _is_per_block(node: Node) -> bool:
    per = node.mapping.get("per")
    return per is not None and per.value == "block"


def _not_a_leaf(node: Node, kind: FieldType) -> str:
    """Why a mapping cannot stand where a scalar is expected."""
    word = next(iter(node.mapping), None)
    if word is None:
        return f"must be {kind.expected}, not an empty mapping"
    return f"must be {kind.expected}, or open as a choice, int …; unknown key {word!r}, {did_you_mean(word, WORDS)}"


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


def _is_literal(kind: FieldType, value: Any) -> bool:
    return (bool(kind.plain) or value is None) and kind.problem(value) is None


def _two_whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)


def _is_factor(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MAX_FACTOR


def _is_scaled(tree: Tree) -> bool:
    return isinstance(tree, Scaled) or any(_is_scaled(child) for child in tree.children())


def _unknown_key(key: str, known: Collection[str], what: str) -> str:
    return f"unknown key {shortened(key)} of {what}; {did_you_mean(key, known)}"


def _nobody(name: str, dimension: Dimension) -> Value:
    raise AssertionError(f"{name} is fixed")
