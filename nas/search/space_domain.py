"""A search space with a budget, as a search sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property

import numpy as np

from nas.architecture import estimate
from nas.cost import Budget
from nas.errors import FieldError, StudyError
from nas.search.domain import Candidate, Feasible, distinct
from nas.space import Ask, Dimension, SearchSpace, Value
from nas.space.extremes import require_reachable
from nas.space.feasible import Codes, FeasibleSet
from nas.task import Task

_DRAWS = 10  # pairs for each point: the chance that a given one is not among them is 2e-9


class SpaceDomain:
    """The architectures of a space, priced for a task."""

    def __init__(self, space: SearchSpace, budget: Budget, task: Task) -> None:
        """Nothing is priced yet."""
        self._space = space
        self._budget = budget
        self._task = task

    @property
    def name(self) -> str:
        """The space's name."""
        return self._space.name

    @cached_property
    def dimensions(self) -> Mapping[str, Dimension]:
        """Every question a walk may ask."""
        return self._space.dimensions()

    @cached_property
    def is_nested(self) -> bool:
        """Whether an answer of the space stands for a part with questions of its own."""
        return any(True for one in self._space.root.decisions() for child in one.children() for _ in child.decisions())

    @property
    def feasible(self) -> Feasible:
        """The architectures within budget."""
        return self._set

    @cached_property
    def _set(self) -> FeasibleSet:
        return self._space.within(self._budget, task=self._task)

    def everything(self, most: int) -> Codes | None:
        """The points within budget, if they can be counted and are not more than `most`."""
        count = self._set.count
        if count is None or count > most:
            return None
        return distinct(self._set, _DRAWS * count, np.random.default_rng(0))

    def size(self) -> int:
        """Points of the space."""
        return self._space.size()

    def build(self, ask: Ask) -> Candidate:
        """One walk of the space, priced.

        Raises:
            StudyError: the space holds a point that breaks a rule, which trying its options at load did not find.
        """
        answers: dict[str, Value] = {}

        def noting(name: str, dimension: Dimension) -> Value:
            answers[name] = ask(name, dimension)
            return answers[name]

        try:
            architecture, choices = self._space.choices(noting)
        except FieldError as error:
            raise StudyError(
                f"a point of {self.name} cannot be built: {error}; keep walks away from it by a condition "
                f"('when') in the space. Its choices: {answers}"
            ) from None
        cost = estimate(architecture, self._task)
        return Candidate(
            id=architecture.id,
            choices=choices,
            cost=asdict(cost),
            overrun=self._budget.overrun(cost),
            form=architecture.to_dict(),
        )

    def share(self, cost: Mapping[str, float]) -> float:
        """The largest part of any bound that a cost uses up."""
        return self._budget.share(cost)

    def require_reachable(self) -> None:
        """Raise BudgetError if no point of the space is within budget."""
        require_reachable(self._space.root, self._budget, self._task)
