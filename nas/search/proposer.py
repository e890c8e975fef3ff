"""Who asks for candidates: the samplers, with what they look at, rebuilt from the ledger's rows.

The ledger is the truth: a study is its trials, and replaying them gives the study back, including the private notes
samplers attach to trials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from optuna.samplers import BaseSampler

from nas.records import CONTROL, Plain, TrialRecord, TrialState
from nas.search.domain import Candidate
from nas.search.history import History
from nas.search.optuna.study import OptunaStudy
from nas.search.problem import RANDOM, Problem
from nas.search.samplers import GivenSampler, Setting, WholeSampler, samplers
from nas.space.askers import replaying
from nas.space.dimension import Value

_COUNTABLE = 2000  # candidates that are looked at one by one


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the sampler asked for."""

    number: int
    candidate: Candidate
    notes: Mapping[str, Plain]


class Proposer:
    """Asks for candidates and is told what became of them."""

    def __init__(self, problem: Problem) -> None:
        """An empty study of `problem`."""
        self._problem = problem
        sampler, control = samplers[problem.sampler], samplers[RANDOM]
        # Most of an ask's time and of a search's memory would be Optuna's trials, which only its own samplers look at.
        self._study = None if sampler.window == 0 else OptunaStudy(problem, sampler.window)
        self._asked = 0
        self._history = History(len(problem.domain.feasible.names), problem.objectives.costs)
        self._setting = Setting(
            domain=problem.domain, objectives=problem.objectives, history=self._history, seed=problem.seed
        )
        self._sampler_for, self._control_for = sampler.make(self._setting), control.make(self._setting)

    def restore(self, record: TrialRecord) -> None:
        """Add a trial that was asked in an earlier run, finished or not; in the order of their numbers."""
        if self._study is not None:
            self._study.restore(record)
        self._remember(record.number, record.choices, record.cost)
        if record.state is not TrialState.QUEUED:
            self._history.tell(record)

    def ask(self) -> Proposal:
        """The next candidate; its number is the count of trials before it.

        Raises:
            StudyError: the sampler's choices belong to no candidate.
        """
        number = self._asked
        is_control = self._problem.is_control(number)
        candidate, notes = self._candidate(self._sampler(number, is_control=is_control))
        self._remember(number, candidate.choices, candidate.cost)
        return Proposal(number, candidate, {**notes, CONTROL: True} if is_control else notes)

    def is_exhausted(self, is_known: Callable[[str], bool]) -> bool:
        """Whether every candidate within budget is known; also False where they are too many to look at each.

        Args:
            is_known: says so of a candidate by its id; different choices may give the same one.
        """
        domain = self._problem.domain
        codes = domain.everything(_COUNTABLE)
        if codes is None:
            return False
        rows = codes[self._history.untried(codes)]
        choices = (domain.feasible.decode(row) for row in rows)
        return all(is_known(domain.build(replaying(one, domain.dimensions)).id) for one in choices)

    def tell(self, record: TrialRecord) -> None:
        """What became of a candidate: over budget, trained or failed."""
        if self._study is not None:
            self._study.tell(record)
        self._history.tell(record)

    def _sampler(self, number: int, *, is_control: bool) -> BaseSampler:
        if number < len(self._problem.start):
            return GivenSampler(self._setting, self._problem.start[number])
        return self._control_for(number) if is_control else self._sampler_for(number)

    def _candidate(self, sampler: BaseSampler) -> tuple[Candidate, dict[str, Plain]]:
        """What a sampler chooses, and its notes about it."""
        if self._study is not None:
            return self._study.ask(sampler)
        if not isinstance(sampler, WholeSampler):
            raise TypeError(f"sampler {self._problem.sampler!r} has window 0, but does not choose whole candidates")
        domain = self._problem.domain
        return domain.build(replaying(sampler.choices(), domain.dimensions)), {}

    def _remember(self, number: int, choices: Mapping[str, Value], cost: Mapping[str, Any]) -> None:
        self._asked += 1
        self._history.ask(number, self._problem.domain.feasible.encode(choices), cost)
