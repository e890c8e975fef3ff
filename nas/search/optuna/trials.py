"""Our trials in Optuna's form, and Optuna's questions in ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState as OptunaState, create_trial

from nas.records import Plain, TrialRecord, TrialState
from nas.search.objectives import Objectives
from nas.search.samplers.base import distribution
from nas.space.dimension import Ask, Dimension, Range, Value

_FAILED = "failed"  # the constraint every trial carries beside those of the budget: 1 after a failed training
_CONSTRAINT = "constraints:"  # how Optuna marks them among a trial's notes


def directions(objectives: Objectives) -> list[StudyDirection]:
    """Which way each objective is better."""
    return [StudyDirection.MAXIMIZE if more else StudyDirection.MINIMIZE for more in objectives.maximise]


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


def values(record: TrialRecord, objectives: Objectives) -> tuple[float, ...] | None:
    """The objectives of a trial that was trained."""
    evaluation = record.evaluation
    if evaluation is None or evaluation.accuracy is None:
        return None
    return objectives.point(evaluation.accuracy, record.cost)


def optuna_state(record: TrialRecord) -> OptunaState:
    """Never FAIL, from which samplers do not learn: what is over budget or failed is PRUNED, with its constraints."""
    if record.state is TrialState.QUEUED:
        return OptunaState.RUNNING
    evaluation = record.evaluation
    return OptunaState.PRUNED if evaluation is None or evaluation.accuracy is None else OptunaState.COMPLETE


def notes(kept: Mapping[str, Any]) -> dict[str, Plain]:
    """What of a trial's attributes the ledger keeps; constraints follow from the record."""
    return {name: note for name, note in kept.items() if not name.startswith(_CONSTRAINT)}


def attributes(record: TrialRecord) -> dict[str, Any]:
    """What Optuna keeps of a trial for its samplers: their notes and, once it is finished, its constraints."""
    kept = notes(record.sampler)
    if optuna_state(record).is_finished():
        kept |= {f"{_CONSTRAINT}{name}": value for name, value in constraints(record).items()}
    return kept


def user_attributes(record: TrialRecord) -> dict[str, Any]:
    """What people see of a trial beside its choices and objectives."""
    return {"architecture": record.architecture_id, **record.cost}


def frozen_trial(record: TrialRecord, objectives: Objectives, dimensions: Mapping[str, Dimension]) -> FrozenTrial:
    """The Optuna form of a trial in the ledger, running if it is unfinished."""
    return create_trial(
        state=optuna_state(record),
        values=values(record, objectives),
        params=dict(record.choices),
        distributions={name: distribution(dimensions[name]) for name in record.choices},
        system_attrs=attributes(record),
        user_attrs=user_attributes(record),
    )
