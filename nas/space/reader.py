"""The document of a space file to its trees: top level, number of stages, the linear rule, the columns of `stages`.

What stands at a leaf is read by `nas.space.leaves`; here is what has to be known of the file before a leaf can be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, replace

from nas.layers import FAMILIES
from nas.schema.fields import FieldType, field_types, within
from nas.schema.nodes import Node
from nas.schema.problems import Mark, Problems
from nas.space.keys import LINEAR_FIELDS, STAGE_FIELDS, TOP_FIELDS
from nas.space.leaves import Leaves
from nas.space.limits import map_sizes
from nas.space.linear import LinearDepth, LinearGroupWidth, LinearWidth, Rule
from nas.space.reading import Scope
from nas.space.tree import AfterFirst, Decision, Fixed, PerStage, Struct, Tree, conditions, is_per_block, numbers
from nas.task import Task

_QUANTUM = 8
_MAX_STAGES = 100
_COUNT = FieldType((int,), None, False, (within(1, _MAX_STAGES),), MISSING)


class Reader:
    """Reads one file; problems are collected, not raised."""

    def __init__(self, problems: Problems, task: Task) -> None:
        """Read into `problems`; `task` says how large the maps are that limits may speak of."""
        self.problems = problems
        self.task = task

    def space(self, root: Node, known: Sequence[str]) -> tuple[Struct, Struct, int, Tree | None]:
        """The tree of the top level, that of a stage, the number of stages, and its tree where it is open.

        Args:
            root: the file.
            known: further keys that are read elsewhere.
        """
        nothing = Struct({}, root.mark)
        if not root.is_mapping:
            self.problems.add(root.mark, "a space is a mapping with 'stem', 'stages' and 'head'")
            return nothing, nothing, 1, None
        leaves = Leaves(problems=self.problems)
        leaves.refuse(root, (*known, *TOP_FIELDS, "stages"), "a space")
        top = Struct(leaves.fields(root, TOP_FIELDS, Scope()) | self._searched(root, leaves), root.mark)
        stages = root.mapping.get("stages")
        if stages is None:
            self.problems.add(root.mark, "the key 'stages' of the space is missing")
            return top, nothing, 1, None
        if not stages.is_mapping:
            self.problems.add(
                stages.mark, "stages has a key for each field, with one entry a stage: 'depth: [3, 3, 9, 3]'"
            )
            return top, nothing, 1, None
        open_count, count, decided = self._count(stages, leaves)
        leaves = replace(leaves, decided=decided)
        leaves.refuse(stages, (*STAGE_FIELDS, "count", "linear"), "stages")
        scope = Scope(count=count, in_stages=True)
        rule = self._linear(stages, scope, leaves, is_open=open_count is not None)
        leaves = replace(
            leaves,
            maps=self._maps(top, stages, scope),
            deepest=self._deepest(stages, scope),
            numbers={} if rule is None else _named(rule, stages.mapping["linear"].mark),
        )
        by_rule = {} if rule is None else _columns(rule, stages.mapping["linear"].mark)
        types = {name: kind for name, kind in STAGE_FIELDS.items() if name not in by_rule}
        columns = by_rule | leaves.fields(stages, types, scope)
        downsample = _led_to(columns)
        if downsample is not None:
            columns["downsample"] = downsample
        per_block = any(map(is_per_block, columns.values()))
        if per_block and "depth" in columns and any(True for _ in conditions(columns["depth"])):
            told = "a choice per block needs a depth without a condition"
            self.problems.add(columns["depth"].mark, told)
        if "depth" in columns and 0 in numbers(columns["depth"]) and any(True for _ in conditions(columns["depth"])):
            told = "a depth of 0 leaves the stage out, and what its condition tests with it; write it without 'when'"
            self.problems.add(columns["depth"].mark, told)
        return top, Struct(columns, stages.mark), count, open_count

    def _maps(self, top: Struct, stages: Node, scope: Scope) -> Sequence[int]:
        """The side of each stage's map; nothing where stem or downsample have problems, which are noted elsewhere."""
        downsample = _led_to(self._early("downsample", stages, scope))
        return map_sizes(top.fields.get("stem"), downsample, scope.count, self.task)

    def _deepest(self, stages: Node, scope: Scope) -> Sequence[int]:
        """The most blocks that each stage can have; nothing where depth has problems, which are noted elsewhere."""
        tree = self._early("depth", stages, scope).get("depth")
        if tree is None:
            return []
        return [
            max(numbers(tree.entries[stage] if isinstance(tree, PerStage) else tree), default=0)
            for stage in range(scope.count)
        ]

    def _early(self, column: str, stages: Node, scope: Scope) -> dict[str, Tree]:
        """A column ahead of the others, for what these need of it; its problems are noted when it is read in turn."""
        return Leaves(problems=Problems(self.problems.source)).fields(stages, {column: STAGE_FIELDS[column]}, scope)

    def _linear(self, stages: Node, scope: Scope, leaves: Leaves, *, is_open: bool) -> Rule | None:
        """The linear rule, where it stands, from which depth and width follow."""
        node = stages.mapping.get("linear")
        if node is None:
            return None
        if not node.is_mapping:
            self.problems.add(node.mark, f"linear takes {', '.join(LINEAR_FIELDS)}; it gives depth and width")
            return None
        for name in ("depth", "width"):
            if name in stages.mapping:
                self.problems.add(stages.key_mark(name), f"{name} follows from 'linear'; leave one of them out")
        if "count" not in stages.mapping or is_open:
            self.problems.add(node.mark, "linear needs 'count', the number of stages it has to give, as a number")
        leaves.refuse(node, LINEAR_FIELDS, "linear")
        found = leaves.fields(node, LINEAR_FIELDS, replace(scope, path="linear", in_list=True, stages=None))
        for name, tree in found.items():
            if not (isinstance(tree, Fixed) or (isinstance(tree, Decision) and not tree.branches and not tree.stages)):
                told = "must be a number, a choice of numbers or int, once for all stages"
                self.problems.add(tree.mark, f"linear.{name}: {told}")
        found.setdefault("group_width", Fixed(1, node.mark))
        if len(found) < len(LINEAR_FIELDS):
            return None
        return Rule(
            depth=found["depth"],
            start=found["start"],
            slope=found["slope"],
            factor=found["factor"],
            multiple=found["group_width"],
            quantum=_QUANTUM,
            count=scope.count,
        )

    def _searched(self, root: Node, leaves: Leaves) -> dict[str, Tree]:
        """The resolution of the task, where it is a decision."""
        task = root.mapping.get("task")
        said = None if task is None else task.mapping.get("resolution")
        if said is None or not said.is_mapping:
            return {}
        if "resolution" in root.mapping:
            self.problems.add(said.mark, "the resolution is said twice, here and beside 'task'")
        tree = leaves.value(said, TOP_FIELDS["resolution"]._replace(optional=False), Scope("resolution"))
        return {} if tree is None else {"resolution": tree}

    def _count(self, stages: Node, leaves: Leaves) -> tuple[Tree | None, int, str]:
        """The number of stages, which every list must agree with: 'count', or the length that most lists have.

        First its tree where it is open, then itself or its largest value, last what it was taken from, in words.
        """
        said, lists = stages.mapping.get("count"), list(_lists(stages))
        decided = ""
        if said is not None:
            decided = f"'count' in line {said.mark.line}"
            if type(said.value) is int and 1 <= said.value <= _MAX_STAGES:
                return None, said.value, decided
            if said.mapping.keys() & {"choice", "int"}:
                tree = leaves.value(said, _COUNT, Scope("count", in_stages=True, in_list=True))
                if isinstance(tree, Decision) and not tree.branches and tree.stages is None:
                    return tree, max(numbers(tree)), decided
                if tree is None:
                    return None, 1, decided
            told = "count must be a whole number, or a choice of them (once, not per stage)"
            self.problems.add(said.mark, f"{told}, between 1 and {_MAX_STAGES}")
        if not lists:
            return None, 1, decided
        count = Counter(len(one.items) for one in lists).most_common(1)[0][0]
        first = next(one for one in lists if len(one.items) == count)
        decided = f"the list in line {first.mark.line}"
        if count > _MAX_STAGES:
            self.problems.add(first.mark, f"{count} stages; there can be {_MAX_STAGES}")
        return None, count, decided


def _named(rule: Rule, mark: Mark) -> dict[str, Tree]:
    """The numbers of the rule by their keys, for `same`."""
    group_width = LinearGroupWidth(rule, mark)
    return {
        "depth": rule.depth,
        "start": rule.start,
        "slope": rule.slope,
        "factor": rule.factor,
        "group_width": group_width,
    }


def _columns(rule: Rule, mark: Mark) -> dict[str, Tree]:
    """What follows from the rule."""
    return {"depth": LinearDepth(rule, mark), "width": LinearWidth(rule, mark)}


def _led_to(columns: Mapping[str, Tree]) -> Tree | None:
    """What leads to each stage: to the first one only what a list says."""
    tree = columns.get("downsample")
    return tree if tree is None or isinstance(tree, PerStage) else AfterFirst(tree, tree.mark)


def _lists(node: Node) -> Iterator[Node]:
    """Every list below `node` that has one entry a stage, empty ones aside."""
    if node.items:
        yield node
    for key, child in node.mapping.items():
        if key in ("choice", "pattern"):
            for option in child.items:
                yield from _lists(option)
        elif key in _fields_that_are_lists() and child.is_list:
            yield from _lists_of_entries(child)
        elif key not in ("int", "when", "kind"):
            yield from _lists(child)


def _lists_of_entries(node: Node) -> Iterator[Node]:
    """The same below a list that is one value, and below the lists that it may hold."""
    for item in node.items:
        yield from _lists_of_entries(item) if item.is_list else _lists(item)


def _fields_that_are_lists() -> frozenset[str]:
    """The fields of parts, in whatever family, that take a list."""
    classes = [cls for _, family in FAMILIES for _, cls in family.items()]
    return frozenset(name for cls in classes for name, kind in field_types(cls).items() if kind.many)
