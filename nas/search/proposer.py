"""The Optuna study behind a search, held in memory and rebuilt from the ledger's rows.

The ledger is the truth: a study is its trials, and replaying them gives the study back, including the private notes
samplers attach to trials. Values told are the objectives; what is over budget is told PRUNED with its constraints, and
so is what failed, never FAIL: samplers do not learn from FAIL and would ask for the same again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import Trial

from nas.records import Plain, TrialRecord, TrialState
from nas.search.domain import Candidate
from nas.search.history import History
from nas.search.optuna_trials import asking, constraints, directions, frozen_trial, notes, optuna_state, values
from nas.search.problem import RANDOM, Problem
from nas.search.samplers import GivenSampler, Setting, samplers
from nas.search.window import WindowedStorage
from nas.space.dimension import Value

CONTROL = "control"
"""The note of a trial that was drawn at random, whatever the sampler, so that there is something to compare with."""

_NAME = "search"
_FEWEST, _MOST = 32, 128  # trials in a sampler's window


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
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._problem = problem
        sampler, control = samplers[problem.sampler], samplers[RANDOM]
        self._storage = _storage(problem, sampler.window)
        self._study = optuna.create_study(
            storage=self._storage, study_name=_NAME, directions=directions(problem.objectives)
        )
        self._study_id = self._storage.get_study_id_from_name(_NAME)
        self._asked = 0
        self._history = History(len(problem.domain.feasible.names), problem.objectives.costs)
        self._setting = Setting(
            domain=problem.domain, objectives=problem.objectives, history=self._history, seed=problem.seed
        )
        self._sampler_for, self._control_for = sampler.make(self._setting), control.make(self._setting)

    def restore(self, record: TrialRecord) -> None:
        """Add a trial that was asked in an earlier run, finished or not; in the order of their numbers."""
        self._study.add_trial(frozen_trial(record, self._problem.objectives, self._problem.domain.dimensions))
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
        self._study.sampler = self._sampler(number, is_control=is_control)
        trial = self._study.ask()
        candidate = self._problem.domain.build(asking(trial))
        self._remember(number, candidate.choices, candidate.cost)
        attributes = notes(self._storage.get_trial_system_attrs(self._trial_id(number)))
        return Proposal(number, candidate, {**attributes, CONTROL: True} if is_control else attributes)

    def tell(self, record: TrialRecord) -> None:
        """What became of a candidate: over budget, trained or failed."""
        trial = Trial(self._study, self._trial_id(record.number))
        for name, value in constraints(record).items():
            trial.set_constraint(name, value)
        self._study.tell(trial, values(record, self._problem.objectives), optuna_state(record))
        self._history.tell(record)

    def _sampler(self, number: int, *, is_control: bool) -> BaseSampler:
        if number < len(self._problem.start):
            return GivenSampler(self._setting, self._problem.start[number])
        return self._control_for(number) if is_control else self._sampler_for(number)

    def _remember(self, number: int, choices: Mapping[str, Value], cost: Mapping[str, Any]) -> None:
        self._asked += 1
        self._history.ask(number, self._problem.domain.feasible.encode(choices), cost)

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)


def _storage(problem: Problem, window: int | None) -> InMemoryStorage:
    """A memory from which a sampler sees as many trials as have `window` answers, or all of them."""
    if window is None:
        return InMemoryStorage()
    trials = min(max(window // len(problem.domain.feasible.names), _FEWEST), _MOST)
    return WindowedStorage(trials, problem.objectives.maximise)
