"""The Optuna study behind a search, held in memory and rebuilt from the ledger's rows.

The ledger is the truth: a study is its trials, and replaying them gives the study back, including the private notes
samplers attach to trials. Values told are (accuracy, flops); what is over budget is told PRUNED with its constraints,
and so is what failed, never FAIL: samplers do not learn from FAIL and would ask for the same again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState as OptunaState, create_trial

from nas.architecture import Architecture
from nas.errors import FieldError, StudyError
from nas.records import Evaluation, TrialRecord, TrialState
from nas.search.definition import StudyDefinition
from nas.search.samplers import sampler_for
from nas.space import Ask, Dimension, Range, Value

DIRECTIONS = (StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE)
METRICS = ("accuracy", "flops")
_FAILED = "failed"  # the constraint every trial carries beside those of the budget: 1 after a failed training
_NAME = "search"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the sampler asked for."""

    number: int
    architecture: Architecture
    choices: Mapping[str, Value]


class Proposer:
    """Asks for candidates and is told what became of them."""

    def __init__(self, definition: StudyDefinition) -> None:
        """An empty study under `definition`."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._definition = definition
        self._storage = InMemoryStorage()
        self._study = optuna.create_study(storage=self._storage, study_name=_NAME, directions=list(DIRECTIONS))
        self._study_id = self._storage.get_study_id_from_name(_NAME)

    def restore(self, record: TrialRecord) -> None:
        """Add a trial that was asked in an earlier run, finished or not; in the order of their numbers."""
        self._study.add_trial(frozen_trial(record, self._definition.space.dimensions()))

    def ask(self) -> Proposal:
        """The next candidate; its number is the count of trials before it.

        Raises:
            StudyError: the space holds a point that breaks a rule, which trying its options at load did not find.
        """
        definition = self._definition
        number = self._storage.get_n_trials(self._study_id)
        self._study.sampler = sampler_for(definition.sampler, definition.space, seed=definition.seed, number=number)
        trial = self._study.ask()
        try:
            architecture, choices = definition.space.choices(asking(trial))
        except FieldError as error:
            raise StudyError(
                f"a point of {definition.space.name} cannot be built: {error}; keep walks away from it by a condition "
                f"('when') in the space. Its choices: {trial.params}"
            ) from None
        return Proposal(number, architecture, choices)

    def notes(self, number: int) -> dict[str, Any]:
        """What the sampler attached to a trial, for the ledger."""
        return dict(self._storage.get_trial_system_attrs(self._trial_id(number)))

    def tell(self, record: TrialRecord) -> None:
        """What became of a candidate: over budget, trained or failed."""
        trial = Trial(self._study, self._trial_id(record.number))
        for name, value in constraints(record).items():
            trial.set_constraint(name, value)
        self._study.tell(trial, values(record), _state(record))

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)


def asking(trial: Trial) -> Ask:
    """The asker that lets an Optuna trial decide."""

    def ask(name: str, dimension: Dimension) -> Value:
        if isinstance(dimension, Range):
            return trial.suggest_int(name, dimension.low, dimension.values[-1], step=dimension.step)
        return trial.suggest_categorical(name, dimension.options)

    return ask


def constraints(record: TrialRecord) -> dict[str, float]:
    """The constraints of a trial, always the same ones in the same order; feasible means none above 0."""
    evaluation = record.evaluation
    failed = evaluation is not None and not evaluation.succeeded
    return {**record.overrun, _FAILED: float(failed)}


def values(record: TrialRecord) -> tuple[float, float] | None:
    """The objectives of a trial that was trained, in the order of METRICS."""
    evaluation: Evaluation | None = record.evaluation
    if evaluation is None or evaluation.accuracy is None:
        return None
    return evaluation.accuracy, float(record.cost["flops"])


def frozen_trial(record: TrialRecord, dimensions: Mapping[str, Dimension]) -> FrozenTrial:
    """The Optuna form of a trial in the ledger, running if it is unfinished."""
    state = _state(record)
    notes = {name: note for name, note in record.sampler.items() if not name.startswith("constraints:")}
    if state.is_finished():
        notes |= {f"constraints:{name}": value for name, value in constraints(record).items()}
    return create_trial(
        state=state,
        values=values(record),
        params=dict(record.choices),
        distributions={name: _distribution(dimensions[name]) for name in record.choices},
        system_attrs=notes,
        user_attrs={"architecture": record.architecture, **record.cost},
    )


def _state(record: TrialRecord) -> OptunaState:
    if record.state is TrialState.QUEUED:
        return OptunaState.RUNNING
    return OptunaState.PRUNED if values(record) is None else OptunaState.COMPLETE


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Range):
        return IntDistribution(dimension.low, dimension.values[-1], step=dimension.step)
    return CategoricalDistribution(dimension.options)
