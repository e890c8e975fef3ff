"""The Optuna study that samplers of Optuna look at, held in memory and rebuilt from the ledger's rows.

Values told are the objectives; what is over budget is told PRUNED with its constraints, and so is what failed, never
FAIL: samplers do not learn from FAIL and would ask for the same again.
"""

from __future__ import annotations

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import Trial

from nas.records import Plain, TrialRecord
from nas.search.domain import Candidate
from nas.search.optuna.trials import asking, constraints, directions, frozen_trial, notes, optuna_state, values
from nas.search.optuna.window import Memory, WindowedStorage
from nas.search.problem import Problem
from nas.search.samplers.base import distribution

_NAME = "search"
_FEWEST, _MOST = 32, 128  # trials in a sampler's window


class OptunaStudy:
    """A search as Optuna sees it."""

    def __init__(self, problem: Problem, window: int | None) -> None:
        """No trials yet.

        Args:
            problem: what is searched.
            window: how many answers of finished trials the sampler is shown; None for all of them.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._problem = problem
        self._storage = _storage(problem, window)
        self._study = optuna.create_study(
            storage=self._storage, study_name=_NAME, directions=directions(problem.objectives)
        )
        self._id = self._storage.get_study_id_from_name(_NAME)

    def restore(self, record: TrialRecord) -> None:
        """Add a trial that was asked in an earlier run, finished or not."""
        self._study.add_trial(frozen_trial(record, self._problem.objectives, self._problem.domain.dimensions))

    def ask(self, sampler: BaseSampler) -> tuple[Candidate, dict[str, Plain]]:
        """A new trial: the candidate that a sampler chooses, and its notes about it.

        Raises:
            StudyError: the sampler's choices belong to no candidate.
        """
        self._study.sampler = sampler
        trial = self._study.ask()
        candidate = self._problem.domain.build(asking(trial))
        identity = self._trial_id(trial.number)
        if candidate.choices != trial.params:  # parts did not fit: the sampler is told of the point it was led to
            asked = {name: distribution(self._problem.domain.dimensions[name]) for name in candidate.choices}
            self._storage.answer(identity, candidate.choices, asked)
        return candidate, notes(self._storage.get_trial_system_attrs(identity))

    def tell(self, record: TrialRecord) -> None:
        """What became of a candidate: over budget, trained or failed."""
        trial = Trial(self._study, self._trial_id(record.number))
        for name, value in constraints(record).items():
            trial.set_constraint(name, value)
        self._study.tell(trial, values(record, self._problem.objectives), optuna_state(record))

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, number)


def _storage(problem: Problem, window: int | None) -> Memory:
    """A memory from which a sampler sees as many trials as have `window` answers, or all of them."""
    if window is None:
        return Memory()
    trials = min(max(window // len(problem.domain.feasible.names), _FEWEST), _MOST)
    return WindowedStorage(trials, problem.objectives.maximise)
