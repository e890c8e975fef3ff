"""YAML nodes to the tree of a space, strictly: every problem of the file is noted with its place.

The language of a leaf: a value; `{choice: [...]}`; `{int: [low, high], step: n}`; under `stages` also a list with one
entry a stage, `{base: ..., ratio: [...]}` (one value times a factor a stage), `{pattern: [...]}` (repeated over the
blocks of a stage), and `{when: {field: test}, then: ..., else: ...}`. `per: stage` asks a choice for every stage, and
`at_most: 2 maps` drops from it what is larger than twice the side of the stage's map (`at_most: 13`: larger than 13).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from nas.errors import FieldError, UserError
from nas.layers import Block, Downsample, Family, Head, Norm, Site, Stem, downsamples, family_of, stems
from nas.registry import did_you_mean
from nas.schema.fields import FieldType, at_least, field_types, within
from nas.schema.nodes import Node
from nas.schema.problems import Mark, Problems
from nas.space.dimension import Choice, Dimension, Range, Value
from nas.space.tree import Decision, Fixed, Here, Pattern, PerStage, Scaled, Struct, Test, Tree, Walk, When
from nas.task import Task

STAGE_FIELDS: Mapping[str, FieldType] = {
    "depth": FieldType((int,), None, False, (at_least(1),), dataclasses.MISSING),
    "width": FieldType((int,), None, False, (at_least(1),), dataclasses.MISSING),
    "block": FieldType((), Block, False, (), dataclasses.MISSING),
    "downsample": FieldType((), Downsample, True, (), None),
    "norm": FieldType((), Norm, True, (), None),
}
TOP_FIELDS: Mapping[str, FieldType] = {
    "stem": FieldType((), Stem, False, (), dataclasses.MISSING),
    "head": FieldType((), Head, False, (), dataclasses.MISSING),
    "drop_path": FieldType((float,), None, False, (within(0, 0.99),), 0.0),
}
Word = Literal["choice", "int", "base", "pattern", "when"]
WORDS: Mapping[Word, frozenset[str]] = {
    "choice": frozenset({"choice", "per", "at_most"}),
    "int": frozenset({"int", "step", "per", "at_most"}),
    "base": frozenset({"base", "ratio"}),
    "pattern": frozenset({"pattern"}),
    "when": frozenset({"when", "then", "else"}),
}


@dataclass(frozen=True)
class Scope:
    """What a reader knows about the place it reads.

    Attributes:
        path: the name of decisions here, below `stages` or from the top.
        count: number of stages.
        in_stages: whether it is under `stages`.
        stages: the stages it belongs to alone; None where it holds for all of them.
        in_block: whether it is in a block, where patterns mean something.
        fields: the fields of the mapping around, which conditions may name.
    """

    path: str = ""
    count: int = 1
    in_stages: bool = False
    stages: tuple[int, ...] | None = None
    in_block: bool = False
    fields: tuple[str, ...] = ()

    def below(self, name: str | int) -> Scope:
        """The scope of a field or an entry."""
        return replace(self, path=f"{self.path}.{name}" if self.path else str(name))


class Reader:
    """Reads one file; problems are collected, not raised."""

    def __init__(self, problems: Problems, task: Task) -> None:
        """Read into `problems`; `task` says how large the maps are that limits may speak of."""
        self.problems = problems
        self.task = task
        self.maps: Sequence[int] = ()

    def space(self, root: Node, known: frozenset[str]) -> tuple[dict[str, Tree], dict[str, Tree], int]:
        """The top-level trees, the trees of a stage's fields, and the number of stages.

        Args:
            root: the file.
            known: further keys that are read elsewhere.
        """
        self._refuse(root, {*TOP_FIELDS, "stages", *known}, "a space")
        if not root.is_mapping:
            self.problems.add(root.mark, "a space is a mapping with 'stem', 'stages' and 'head'")
            return {}, {}, 1
        top = self._fields(root, TOP_FIELDS, Scope(fields=tuple(TOP_FIELDS)))
        stages = root.mapping.get("stages")
        if stages is None:
            self.problems.add(root.mark, "the key 'stages' is missing")
            return top, {}, 1
        count = self._count(stages)
        self._refuse(stages, {*STAGE_FIELDS, "count"}, "stages")
        if not stages.is_mapping:
            self.problems.add(stages.mark, "stages is a mapping of columns such as 'depth: [3, 3, 9, 3]'")
        scope = Scope(count=count, in_stages=True, fields=tuple(STAGE_FIELDS))
        strides = self._fields(stages, {"downsample": STAGE_FIELDS["downsample"]}, scope)
        self.maps = map_sizes(top.get("stem"), strides.get("downsample"), count, self.task)
        others = {name: kind for name, kind in STAGE_FIELDS.items() if name != "downsample"}
        return top, {**self._fields(stages, others, scope), **strides}, count

    def _fields(self, node: Node, types: Mapping[str, FieldType], scope: Scope) -> dict[str, Tree]:
        trees = {}
        for name, kind in types.items():
            child = node.mapping.get(name)
            if child is None:
                if kind.default is dataclasses.MISSING:
                    self.problems.add(node.mark, f"the key {name!r} is missing")
                continue
            inner = scope.below(name)
            tree = self.value(child, kind, replace(inner, in_block=inner.in_block or kind.spec is Block))
            if tree is not None:
                trees[name] = tree
        return trees

    def value(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        """The tree of one leaf or part; None when it has problems."""
        if node.is_list:
            return self._per_stage(node, kind, scope)
        for word in WORDS:
            if word in node.mapping:
                self._refuse(node, WORDS[word], f"a {word!r} leaf")
                return self._readers[word](self, node, kind, scope)
        if kind.spec is not None and node.value is not None and not _is_literal(kind, node.value):
            return self._spec(node, family_of(kind.spec), scope)
        problem = kind.problem(node.value) if not node.is_mapping else f"must be {kind.expected}, not a mapping"
        if problem is not None:
            self.problems.add(node.mark, f"{scope.path}: {problem}")
            return None
        return Fixed(node.value, node.mark)

    def _spec(self, node: Node, family: Family[Any], scope: Scope) -> Tree | None:
        named = node.mapping.get("kind") if node.is_mapping else node
        if named is None:
            self.problems.add(node.mark, f"{scope.path}: a {family.kind} needs 'kind' (one of: {', '.join(family)})")
            return None
        if not isinstance(named.value, str) or named.value not in family:
            hint = did_you_mean(str(named.value), family) if not named.is_mapping else "put the choice around the whole"
            shown = "a mapping" if named.is_mapping else repr(named.value)
            self.problems.add(named.mark, f"unknown {family.kind} {shown}; {hint}")
            return None
        types = field_types(family[named.value])
        self._refuse(node, {*types, "kind"}, f"{family.kind} {named.value!r}")
        fields = self._fields(node, types, replace(scope, fields=tuple(types))) if node.is_mapping else {}
        tree = Struct(fields, node.mark, named.value)
        self._try(tree, family, node, scope)
        return tree

    def _try(self, tree: Struct, family: Family[Any], node: Node, scope: Scope) -> None:
        """Make the spec once if nothing in it is open, for the rules that join its fields."""
        stages = scope.stages or range(scope.count)
        if any(True for _ in tree.decisions()) or any(_uses_patterns(child) for child in tree.children()):
            return
        for stage in stages:
            try:
                family.read(tree.resolve(Walk(_nobody), Here(stage)))
            except FieldError as error:
                self.problems.add(node.key_mark(error.field), str(error))
                return
            except (UserError, TypeError):
                return  # a field above it is missing or wrong and has been reported

    def _per_stage(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        if not scope.in_stages or scope.stages is not None:
            where = "inside another list" if scope.in_stages else "outside 'stages'"
            self.problems.add(node.mark, f"{scope.path}: a list means one entry a stage; it has no meaning {where}")
            return None
        if len(node.items) != scope.count:
            return None  # reported with the number of stages
        entries = [self.value(item, kind, replace(scope, stages=(index,))) for index, item in enumerate(node.items)]
        if scope.path == "downsample" and isinstance(entries[0], Struct | Decision):
            self.problems.add(node.items[0].mark, "the first stage follows the stem; its downsample must be null")
        return PerStage(tuple(entries), node.mark) if None not in entries else None  # type: ignore[arg-type]

    def _choice(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        listed = node.mapping["choice"]
        if not listed.items:
            self.problems.add(listed.mark, f"{scope.path}: a choice is a list of at least one option")
            return None
        stages = self._stages_asked(node, scope)
        answers: list[Value] = []
        branches: dict[Value, Tree] = {}
        for item in listed.items:
            label = _label(item, answers)
            inner = replace(scope, stages=stages) if stages is not None else scope
            inner = inner.below(str(label)) if item.is_mapping or item.is_list else inner
            tree = self.value(item, kind, inner)
            if tree is None:
                continue
            if label in answers:
                self.problems.add(item.mark, f"{scope.path}: the option {label!r} is listed twice")
            answers.append(label)
            if not isinstance(tree, Fixed) or tree.value != label:
                branches[label] = tree
        if not answers:
            return None
        decision = Decision(scope.path, Choice(tuple(answers)), node.mark, branches, stages, scope.in_stages)
        return self._limited(node, decision, scope)

    def _int(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        bounds, step = node.mapping["int"].plain(), node.mapping.get("step")
        if not _two_whole_numbers(bounds):
            self.problems.add(node.mapping["int"].mark, f"{scope.path}: int takes [low, high], two whole numbers")
            return None
        width = 1 if step is None else step.value
        if not isinstance(width, int) or isinstance(width, bool) or width < 1:
            self.problems.add(step.mark if step else node.mark, f"{scope.path}: step must be a whole number above 0")
            return None
        if bounds[0] > bounds[1]:
            self.problems.add(node.mapping["int"].mark, f"{scope.path}: the range {bounds} is empty")
            return None
        dimension = Range(bounds[0], bounds[1], width)
        for value in dimension.values:
            problem = kind.problem(value)
            if problem is not None:
                self.problems.add(node.mapping["int"].mark, f"{scope.path}: {problem}")
                return None
        stages = self._stages_asked(node, scope)
        return self._limited(node, Decision(scope.path, dimension, node.mark, {}, stages, scope.in_stages), scope)

    def _limited(self, node: Node, decision: Decision, scope: Scope) -> Tree | None:
        """The decision without the numbers above its `at_most`, which may differ from stage to stage."""
        limit = node.mapping.get("at_most")
        if limit is None:
            return decision
        most = _most(limit.value)
        if most is None or not scope.in_stages:
            self.problems.add(limit.mark, f"{scope.path}: at_most takes a number or '2 maps', and only under 'stages'")
            return None
        if not self.maps:
            return decision  # stem or downsample have problems, which are reported
        stages = range(scope.count) if decision.stages is None else decision.stages
        limits = {stage: most(self.maps[stage]) for stage in stages}
        if decision.stages is None:
            limits = dict.fromkeys(range(scope.count), min(limits.values()))
        entries = {stage: _cut(decision, stage, highest) for stage, highest in limits.items()}
        for stage, entry in entries.items():
            if not len(entry.dimension):
                told = f"{scope.path}: nothing is left at or below {limits[stage]:g} in stage {stage + 1}"
                self.problems.add(limit.mark, f"{told}, whose map is {self.maps[stage]}x{self.maps[stage]}")
                return None
        if decision.stages is None:
            return entries[0]
        return PerStage(tuple(entries.get(stage, decision) for stage in range(scope.count)), node.mark)

    def _stages_asked(self, node: Node, scope: Scope) -> tuple[int, ...] | None:
        per = node.mapping.get("per")
        if per is None:
            return scope.stages
        if per.value != "stage":
            self.problems.add(per.mark, f"{scope.path}: per takes 'stage' only, got {per.value!r}")
        elif not scope.in_stages:
            self.problems.add(per.mark, f"{scope.path}: 'per: stage' has no meaning outside 'stages'")
        elif scope.stages is None:
            first = 1 if scope.path == "downsample" else 0
            return tuple(range(first, scope.count))
        return scope.stages

    def _scaled(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        ratio = node.mapping.get("ratio")
        if not scope.in_stages or scope.stages is not None or int not in kind.plain:
            self.problems.add(node.mark, f"{scope.path}: 'base' with 'ratio' is for whole numbers of all stages")
            return None
        if ratio is None or not ratio.items or not all(_is_positive(one.value) for one in ratio.items):
            mark = node.mark if ratio is None else ratio.mark
            self.problems.add(mark, f"{scope.path}: ratio is a list with one positive factor a stage")
            return None
        base = self.value(node.mapping["base"], kind, scope.below("base"))
        if base is None or len(ratio.items) != scope.count:
            return None
        return Scaled(base, tuple(float(one.plain()) for one in ratio.items), node.mark)

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
            scope = replace(scope, stages=tuple(range(scope.count)))
        tests = dict(self._tests(node.mapping["when"], scope))
        then, other = node.mapping.get("then"), node.mapping.get("else")
        if then is None or other is None:
            self.problems.add(node.mark, f"{scope.path}: a condition needs 'when', 'then' and 'else'")
            return None
        holds, fails = self.value(then, kind, scope), self.value(other, kind, scope)
        if holds is not None and fails is not None and _names(holds) & _names(fails):
            fails = self.value(other, kind, scope.below("else"))  # one name is one question with one set of answers
        return None if holds is None or fails is None else When(tests, holds, fails, node.mark)

    def _tests(self, node: Node, scope: Scope) -> Iterator[tuple[str, Test]]:
        if not node.mapping:
            self.problems.add(node.mark, f"{scope.path}: when takes fields with a test, such as 'kernel: >= 13'")
        own = scope.path.rpartition(".")[2]
        for name, wanted in node.mapping.items():
            if name not in scope.fields or name == own:
                known = [field for field in scope.fields if field != own]
                hint = did_you_mean(name, known)
                self.problems.add(node.key_mark(name), f"no field {name!r} beside this one; {hint}")
            else:
                yield name, _test(wanted.plain())

    def _count(self, stages: Node) -> int:
        """The number of stages, which every list must agree with."""
        said = stages.mapping.get("count")
        lengths = list(_list_lengths(stages))
        if said is not None:
            if not isinstance(said.value, int) or said.value < 1:
                self.problems.add(said.mark, "count must be a whole number of at least 1")
                return 1
            lengths.insert(0, (said.value, said.mark))
        if not lengths:
            return 1
        count = lengths[0][0]
        for length, mark in lengths[1:]:
            if length != count:
                self.problems.add(mark, f"this list has {length} entries, but there are {count} stages")
        return count

    def _refuse(self, node: Node, known: set[str] | frozenset[str], what: str) -> None:
        for key in node.mapping:
            if key not in known:
                hint = did_you_mean(key, sorted(known))
                self.problems.add(node.key_mark(key), f"unknown key {key!r} of {what}; {hint}")

    _readers: Mapping[Word, Callable[[Reader, Node, FieldType, Scope], Tree | None]] = {
        "choice": _choice,
        "int": _int,
        "base": _scaled,
        "pattern": _pattern,
        "when": _when,
    }


def map_sizes(stem: Tree | None, downsample: Tree | None, count: int, task: Task) -> list[int]:
    """The side of each stage's map for `task`, with the first option wherever stem or downsample are open.

    Empty where these have problems, or the task's resolution is too small for them.
    """
    if stem is None:
        return []
    walk = Walk(lambda name, dimension: dimension.values[0])
    sizes: list[int] = []
    try:
        size = stems.read(stem.resolve(walk, Here())).size_out(Site(task.channels, 1, task.resolution))
        for stage in range(count):
            form = downsample.resolve(walk, Here(stage)) if downsample is not None and stage else None
            if form is not None:
                spec = downsamples.read(form)
                size = -(-size // spec.stride) if spec.in_block else spec.size_out(Site(1, 1, size))
            sizes.append(size)
    except (UserError, TypeError):
        return []
    return sizes if min(sizes) > 0 else []


_LIMIT = re.compile(r"(\d+(?:\.\d+)?) maps?")


def _most(value: Any) -> Callable[[int], float] | None:
    """From the side of a map to the limit: '2 maps' -> twice the side, 13 -> 13."""
    if _is_positive(value):
        return lambda side: float(value)
    match = _LIMIT.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else lambda side: float(match[1]) * side


def _cut(decision: Decision, stage: int, highest: float) -> Decision:
    """The decision of one stage, without numbers above `highest`."""
    kept = tuple(one for one in decision.dimension.values if not _is_number(one) or one <= highest)  # type: ignore[operator]
    dimension: Dimension = Choice(kept)
    if isinstance(decision.dimension, Range):
        low, step = decision.dimension.low, decision.dimension.step
        dimension = Range(low, low + step * (len(kept) - 1), step)
    return replace(decision, dimension=dimension, stages=None if decision.stages is None else (stage,))


def _names(tree: Tree) -> set[str]:
    return {name for decision in tree.decisions() for name in decision.names()}


_COMPARISON = re.compile(r"(>=|<=|>|<|!=)\s*(-?\d+(?:\.\d+)?)")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "!=": lambda a, b: a != b,
}


def _test(wanted: Any) -> Test:
    """A test from its YAML form: a value, a list of values, or a comparison such as '>= 13'."""
    match = _COMPARISON.fullmatch(wanted) if isinstance(wanted, str) else None
    if match is not None:
        compare, limit = _COMPARE[match[1]], float(match[2])
        return lambda value: isinstance(value, int | float) and compare(value, limit)
    options = wanted if isinstance(wanted, list) else [wanted]
    return lambda value: (value.get("kind") if isinstance(value, Mapping) else value) in options


def _label(item: Node, taken: list[Value]) -> Value:
    """What an option is called: a value calls itself, a part by its kind, a list by its entries."""
    if item.is_list:
        return str(item.plain())
    if not item.is_mapping:
        return item.value  # type: ignore[return-value]  # a scalar, by the two tests above
    plain = item.mapping.get("kind")
    name = str(plain.value) if plain is not None else next(iter(item.mapping))
    numbered = (f"{name}-{number}" for number in range(2, 1000))
    return name if name not in taken else next(label for label in numbered if label not in taken)


def _is_literal(kind: FieldType, value: Any) -> bool:
    return bool(kind.plain) and kind.problem(value) is None


def _two_whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _list_lengths(node: Node) -> Iterator[tuple[int, Mark]]:
    """Every list below `node` that has one entry a stage."""
    if node.is_list:
        yield len(node.items), node.mark
        return
    for key, child in node.mapping.items():
        if key == "ratio" and child.is_list:
            yield len(child.items), child.mark
        elif key == "choice":
            for option in child.items:
                yield from _list_lengths(option)
        elif key not in ("int", "when", "pattern"):
            yield from _list_lengths(child)


def _uses_patterns(tree: Tree) -> bool:
    return isinstance(tree, Pattern) or any(_uses_patterns(child) for child in tree.children())


def _nobody(name: str, dimension: Dimension) -> Value:
    raise AssertionError(f"{name} is fixed")
