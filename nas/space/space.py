"""The search space: an immutable tree, walked by askers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nas.architecture import Architecture, estimate
from nas.cost import Budget
from nas.errors import BudgetError, FieldError, UserError
from nas.registry import did_you_mean
from nas.schema.nodes import Node
from nas.schema.problems import Mark, Problems, Source
from nas.space.askers import drawing, following, replaying
from nas.space.counting import count_points
from nas.space.dimension import Ask, Dimension, Value
from nas.space.locating import locate
from nas.space.reader import Reader
from nas.space.tree import Decision, Here, Struct, Tree, Walk, spread
from nas.task import Task

_DESCRIPTIVE = frozenset({"name", "about", "source", "task"})


@dataclass(frozen=True)
class SearchSpace:
    """What may vary and how; `build(ask)` is the only place that walks it.

    Attributes:
        name: what it is called in tables.
        about: a sentence for people.
        task: what its networks are priced for unless a command says otherwise.
        top: the trees of stem, head and drop path.
        columns: the trees of a stage's fields.
        stages: the number of stages.
        text: the file it was read from, word for word.
    """

    name: str
    about: str
    task: Task
    top: Mapping[str, Tree]
    columns: Mapping[str, Tree]
    stages: int
    text: str

    def build(self, ask: Ask) -> Architecture:
        """The architecture that `ask` describes, one answer a decision.

        Raises:
            FieldError: the answers break a rule that joins several fields.
        """
        return Architecture.from_dict(self.resolve(Walk(ask)))

    def resolve(self, walk: Walk) -> dict[str, Any]:
        """The canonical form's dict, defaults written or not."""
        data = Struct(self.top, _NOWHERE).resolve(walk, Here())
        data["stages"] = [self.resolve_stage(walk, stage) for stage in range(self.stages)]
        return data

    def resolve_stage(self, walk: Walk, stage: int) -> dict[str, Any]:
        """One stage's dict; the first stage has no downsample whatever the column says."""
        skip = {"downsample"} if stage == 0 else set()
        columns = {name: tree for name, tree in self.columns.items() if name not in skip}
        row = Struct(columns, _NOWHERE).resolve(walk, Here(stage))
        return {**row, "block": spread(row["block"])}

    def choices(self, ask: Ask) -> tuple[Architecture, dict[str, Value]]:
        """The architecture and what was answered, by name."""
        walk = Walk(ask)
        return Architecture.from_dict(self.resolve(walk)), walk.answers

    def decisions(self) -> Iterator[Decision]:
        """Every decision of the file, whether or not a walk reaches it."""
        for tree in itertools.chain(self.top.values(), self.columns.values()):
            yield from tree.decisions()

    def dimensions(self) -> dict[str, Dimension]:
        """Every question a walk may ask, by name."""
        return {name: decision.dimension for decision in self.decisions() for name in decision.names()}

    def size(self) -> int:
        """The exact number of points: different sets of answers a walk can collect."""
        return count_points(self)

    def contains(self, architecture: Architecture) -> bool:
        """Whether some walk gives this architecture."""
        return self.locate(architecture) is not None

    def locate(self, architecture: Architecture) -> dict[str, Value] | None:
        """The answers that give `architecture`, or None if it is no point of this space."""
        for answers in locate(self.top, self.columns, self.stages, architecture):
            if self.build(replaying(answers, self.dimensions())) == architecture:
                return answers
        return None

    def sample(
        self, n: int, budget: Budget | str | None = None, seed: int = 0, *, task: Task | None = None
    ) -> list[Architecture]:
        """`n` distinct architectures within budget: uniform answers, what is over budget or repeated is drawn again.

        Raises:
            BudgetError: after a thousand draws in a row without a new one within budget; the message says how near
                the space comes.
        """
        limits = budget if isinstance(budget, Budget) else Budget.parse(budget)
        rng = random.Random(seed)
        ask = drawing(rng)
        found: dict[str, Architecture] = {}
        misses = 0
        while len(found) < n:
            architecture = self.build(ask)
            fits = not limits.bounds or limits.allows(estimate(architecture, task or self.task))
            if fits and architecture.id not in found:
                found[architecture.id] = architecture
                misses = 0
                continue
            misses += 1
            if misses >= _PATIENCE:
                raise BudgetError(self._exhausted(len(found), n, limits, task or self.task))
        return list(found.values())

    def _exhausted(self, found: int, wanted: int, budget: Budget, task: Task) -> str:
        from nas.space.extremes import require_reachable

        require_reachable(self, budget, task)
        return (
            f"{self.name}: only {found} of {wanted} distinct architectures within {budget} after {_PATIENCE} draws "
            f"in a row without a new one; ask for fewer, or widen the budget or the space ({self.size()} points)"
        )


_PATIENCE = 2000
_NOWHERE = Mark(1, 1)


def read_space(root: Node, source: Source) -> SearchSpace:
    """The space a file describes.

    Raises:
        SchemaError: the file has problems; all of them are listed.
    """
    problems = Problems(source)
    task = _task(root, problems)
    top, columns, count = Reader(problems, task).space(root, _DESCRIPTIVE)
    problems.check()
    name = root.mapping["name"].value if "name" in root.mapping else source.name.rpartition("/")[2].rpartition(".")[0]
    about = root.mapping["about"].value if "about" in root.mapping else ""
    space = SearchSpace(str(name), str(about), task, top, columns, count, source.text)
    _try_every_option(space, root, problems)
    problems.check()
    return space


def _task(root: Node, problems: Problems) -> Task:
    node = root.mapping.get("task")
    if node is None:
        return Task()
    known = ("resolution", "classes", "channels")
    for key in node.mapping:
        if key not in known:
            problems.add(node.key_mark(key), f"unknown key {key!r} of task; {did_you_mean(key, known)}")
    values = {key: value for key, value in node.plain().items() if key in known} if node.is_mapping else {}
    for key, value in values.items():
        if type(value) is not int:
            problems.add(node.mapping[key].mark, f"{key} must be a whole number, got {value!r}")
            return Task()
    try:
        return Task(**values)
    except FieldError as error:
        problems.add(node.mapping[error.field].mark, error.rule)
        return Task()


def _try_every_option(space: SearchSpace, root: Node, problems: Problems) -> None:
    """Build once with each option of each decision, so that a rule between fields breaks now and not mid-search."""
    try:
        space.build(following({}))
    except UserError as error:
        culprit = _first_to_blame(space)
        if culprit is None:
            problems.add(root.key_mark("stages"), str(error))
        else:
            problems.add(culprit.mark, f"{culprit.path}: with {culprit.dimension.values[0]!r}: {error}")
        return
    for decision in space.decisions():
        for value in decision.dimension.values:
            try:
                space.build(following({name: value for name in decision.names()}))
            except UserError as error:
                problems.add(decision.mark, f"{decision.path}: with {value!r}: {error}")


def _first_to_blame(space: SearchSpace) -> Decision | None:
    """The decision whose first option breaks a rule that another option of it keeps."""
    for decision in space.decisions():
        for value in decision.dimension.values[1:]:
            try:
                space.build(following(dict.fromkeys(decision.names(), value)))
            except UserError:
                continue
            return decision
    return None
