"""The search space: an immutable tree, walked by askers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas.architecture import Architecture
from nas.cost import Budget
from nas.errors import FieldError, UserError
from nas.registry import did_you_mean
from nas.schema.fields import shown
from nas.schema.nodes import Node
from nas.schema.problems import Mark, Problems
from nas.space.askers import following
from nas.space.counting import count_points
from nas.space.dimension import Ask, Dimension, Value
from nas.space.locating import locate
from nas.space.reader import Reader
from nas.space.tree import Decision, Here, Struct, Walk, spread
from nas.space.trying import broken_rules, some
from nas.task import Task

_WORDS = ("name", "about", "source")


@dataclass(frozen=True)
class SearchSpace:
    """What may vary and how; `build(ask)` is the only place that walks it.

    Attributes:
        name: what it is called in tables.
        about: a sentence for people.
        task: what its networks are priced for unless a command says otherwise.
        top: the tree of stem, head and drop path.
        columns: the tree of a stage.
        stages: the number of stages.
        text: the file it was read from, word for word.
    """

    name: str
    about: str
    task: Task
    top: Struct
    columns: Struct
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
        return {
            **self.top.resolve(walk, Here()),
            "stages": [self.resolve_stage(walk, stage) for stage in range(self.stages)],
        }

    def resolve_stage(self, walk: Walk, stage: int) -> dict[str, Any]:
        """One stage's dict."""
        row = self.columns.resolve(walk, Here(stage))
        row["block"] = spread(row["block"], row["depth"])
        return row

    def choices(self, ask: Ask) -> tuple[Architecture, dict[str, Value]]:
        """The architecture and what was answered, by name."""
        walk = Walk(ask)
        return Architecture.from_dict(self.resolve(walk)), walk.answers

    def answers(self, ask: Ask) -> dict[str, Value]:
        """What a walk asks and is answered, by name; nothing is built."""
        walk = Walk(ask)
        self.top.resolve(walk, Here())
        for stage in range(self.stages):
            self.columns.resolve(walk, Here(stage))
        return walk.answers

    def decisions(self) -> Iterator[Decision]:
        """Every decision of the file, whether or not a walk reaches it."""
        yield from self.top.decisions()
        yield from self.columns.decisions()

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
            built, asked = self.choices(following(answers))  # what leaves no trace in it is answered with anything
            if built == architecture:
                return asked
        return None

    def sample(
        self, n: int, budget: Budget | str | None = None, seed: int = 0, *, task: Task | None = None
    ) -> list[Architecture]:
        """`n` distinct architectures within budget, uniform over the points within it; see `FeasibleSet`.

        Raises:
            BudgetError: there are not as many, or none; the message says how near the space comes.
        """
        from nas.space.feasible import FeasibleSet

        feasible = FeasibleSet(self, budget, task)
        return [feasible.architecture(row) for row in feasible.draw(n, np.random.default_rng(seed))]


def read_space(root: Node, problems: Problems) -> SearchSpace:
    """The space a file describes.

    Raises:
        SchemaError: the file has problems; all of them are listed.
    """
    task = _task(root, problems)
    top, columns, count = Reader(problems, task).space(root, (*_WORDS, "task"))
    name, about, _ = (_text(root, word, problems) for word in _WORDS)
    problems.check()
    name = name or problems.source.name.rpartition("/")[2].rpartition(".")[0]
    space = SearchSpace(name, about, task, top, columns, count, problems.source.text)
    _try_options(space, root.key_mark("stages"), problems)
    problems.check()
    return space


def _text(root: Node, word: str, problems: Problems) -> str:
    node = root.mapping.get(word)
    if node is None:
        return ""
    if not isinstance(node.value, str) or not node.value:
        problems.add(node.mark, f"{word} must be text, got {shown(node.plain())}; put quotes around it")
        return ""
    return node.value


def _task(root: Node, problems: Problems) -> Task:
    node = root.mapping.get("task")
    if node is None:
        return Task()
    known = ("resolution", "classes", "channels")
    if not node.is_mapping:
        problems.add(node.mark, f"task is a mapping with {', '.join(known)}, got {shown(node.plain())}")
    values: dict[str, Any] = {}
    for key, child in node.mapping.items():
        if key not in known:
            problems.add(node.key_mark(key), f"unknown key {key!r} of task; {did_you_mean(key, known)}")
            continue
        try:
            Task(**{key: child.plain()})
        except FieldError as error:
            problems.add(child.mark, f"task.{error}")
        else:
            values[key] = child.plain()
    return Task(**values)


def _try_options(space: SearchSpace, stages: Mark, problems: Problems) -> None:
    """Note the rules between fields that some answers break, now and not in the middle of a search."""
    decisions = {name: decision for decision in space.decisions() for name in decision.names()}
    for answers, error in broken_rules(space.choices):
        blamed = answers or _first_to_blame(space)
        mark = max((decisions[name].mark for name in blamed), default=stages)
        given = " and ".join(f"{name}={shown(value)}" for name, value in blamed.items())
        problems.add(mark, f"{error} (with {given})" if given else str(error))


def _first_to_blame(space: SearchSpace) -> dict[str, Value]:
    """The first answer that breaks a rule which another answer to the same question keeps."""
    for name, dimension in space.dimensions().items():
        for value in some(dimension.values)[1:]:
            with suppress(UserError):
                space.build(following({name: value}))
                return {name: dimension.values[0]}
    return {}
