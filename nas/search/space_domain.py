"""A search space with a budget, as a search sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property

import numpy as np

from nas.architecture import Architecture, estimate
from nas.cost import Budget
from nas.cost.budget import Bound
from nas.errors import BudgetError, FieldError, StudyError
from nas.search.domain import Candidate, Feasible, distinct
from nas.search.gauge import Gauge
from nas.search.guide import GuidedSet, PowerGuess
from nas.space import Ask, Dimension, SearchSpace, Value
from nas.space.extremes import require_reachable
from nas.space.feasible import Codes, FeasibleSet
from nas.task import Task

_DRAWS = 10  # pairs for each point: the chance that a given one is not among them is 2e-9

_HOPELESS = 40
"""Networks measured in a row, all over the budget, after which a search stops and says so."""


class SpaceDomain:
    """The architectures of a space, priced for a task."""

    def __init__(
        self,
        space: SearchSpace,
        budget: Budget,
        task: Task,
        *,
        gauge: Gauge | None = None,
        guesses: Mapping[str, PowerGuess] | None = None,
    ) -> None:
        """Nothing is priced yet.

        Args:
            space: where architectures come from.
            budget: what they may cost.
            task: what they are priced for.
            gauge: who measures those that are within all bounds that need no measurement; None where nothing has to be.
            guesses: of latencies, for samplers; by metric.
        """
        self._space = space
        self._budget = budget
        self._task = task
        self._gauge = gauge
        self._guesses = guesses or {}
        self._over: list[tuple[float, str]] = []  # ms and id of those measured in a row without one within budget

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
        """The architectures within the bounds that need no measurement."""
        return GuidedSet(self._set, self._guesses) if self._guesses else self._set

    @cached_property
    def _set(self) -> FeasibleSet:
        return self._space.within(self._budget.closed, task=self._task)

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
        """One walk of the space, priced, and measured where the budget or the objectives ask for it.

        Where parts would not fit, the candidate is one nearby, and its choices are not all those that `ask` made.

        Raises:
            BudgetError: many in a row were measured and none was within the budget.
            StudyError: the space holds a point that breaks a rule, which trying its options at load did not find.
        """
        answers: dict[str, Value] = {}

        def noting(name: str, dimension: Dimension) -> Value:
            answers[name] = ask(name, dimension)
            return answers[name]

        try:
            architecture, choices = self._space.fitting(noting)
        except FieldError as error:
            raise StudyError(
                f"a point of {self.name} cannot be built: {error}; keep walks away from it by a condition "
                f"('when') in the space. Its choices: {answers}"
            ) from None
        price = estimate(architecture, architecture.task_of(self._task))
        cost: dict[str, float] = asdict(price)
        overrun = self._budget.closed.overrun(price)
        refusals: dict[str, str] = {}
        foretold: dict[str, tuple[float, float]] = {}
        if self._gauge is not None:
            is_within = all(excess <= 0 for excess in overrun.values())
            foretold = self._foretold_outside(architecture) if is_within else {}
            times, refusals = self._measured(architecture) if is_within and not foretold else ({}, {})
            cost |= times
            overrun |= self._measured_overrun(architecture.id, times, refusals)
            overrun |= {one.metric: one.overrun(_nearest(one, foretold)) for one in self._budget.measured
                        if one.metric in foretold}  # fmt: skip
        return Candidate(
            id=architecture.id,
            choices=choices,
            cost=cost,
            overrun=overrun,
            form=architecture.to_dict(),
            refusals=refusals,
            foretold=foretold,
        )

    def _foretold_outside(self, architecture: Architecture) -> dict[str, tuple[float, float]]:
        """The predicted intervals that lie outside their bounds altogether; all else is measured."""
        found: dict[str, tuple[float, float]] = {}
        if self._gauge is None:
            return found
        for bound in self._budget.measured:
            told = self._gauge.foretold(bound.metric, architecture)
            if told is not None and (told.low > bound.high or told.high < bound.low):
                found[bound.metric] = (told.low, told.high)
        return found

    def _measured(self, architecture: Architecture) -> tuple[dict[str, float], dict[str, str]]:
        """Milliseconds by metric, and why there are none."""
        if self._gauge is None:
            return {}, {}
        records = self._gauge.records(architecture)
        times = {metric: one.ms for metric, one in records.items() if one.ms is not None}
        return times, {metric: one.failure for metric, one in records.items() if one.ms is None}

    def _measured_overrun(
        self, identity: str, times: Mapping[str, float], refusals: Mapping[str, str]
    ) -> dict[str, float]:
        """The excess over each latency; 0 for what was not measured, 1 for what the runtime refused."""
        # Always the same names, in one order: samplers read constraints by position.
        found = {metric: float(metric in refusals) for metric in (() if self._gauge is None else self._gauge.metrics)}
        for bound in self._budget.measured:
            if bound.metric in times:
                found[bound.metric] = bound.overrun(times[bound.metric])
        self._require_some(identity, times, found)
        return found

    def _require_some(self, identity: str, times: Mapping[str, float], overrun: Mapping[str, float]) -> None:
        """Stop where so many in a row are over the budget that nothing may be within it."""
        over = next((metric for metric, excess in overrun.items() if excess > 0 and metric in times), None)
        if over is None:
            if times:
                self._over.clear()
            return
        self._over.append((times[over], identity))
        if len({one for _, one in self._over}) >= _HOPELESS:
            fastest, name = min(self._over)
            raise BudgetError(
                f"the last {_HOPELESS} networks of {self.name} that were measured are all outside {self._budget}; the "
                f"fastest of them, {name}, takes {fastest:.3g} ms ({over}). Widen the budget or the space"
            )

    def share(self, cost: Mapping[str, float]) -> float:
        """The largest part of any bound that a cost uses up."""
        return self._budget.share(cost)

    def require_reachable(self) -> None:
        """Raise BudgetError if no point of the space is within budget."""
        require_reachable(self._space.root, self._budget.closed, self._task)


def _nearest(bound: Bound, foretold: Mapping[str, tuple[float, float]]) -> float:
    """The end of a predicted interval that comes nearest to a bound which it misses."""
    low, high = foretold[bound.metric]
    return low if low > bound.high else high
