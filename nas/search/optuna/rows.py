"""The rows of a study's trials in Optuna's tables: which there are, and how they are brought to what they should be.

They are written directly, because Optuna's own way costs 25 ms a trial of twenty decisions and more with every trial
there is (it counts them), which would be most of what the engine spends on a trial.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from optuna.storages._rdb.models import (
    StudyModel,
    TrialIntermediateValueModel,
    TrialModel,
    TrialParamModel,
    TrialSystemAttributeModel,
    TrialUserAttributeModel,
    TrialValueModel,
    VersionInfoModel,
)
from optuna.trial import TrialState as OptunaState

_STUDIES: Any = StudyModel.__table__
_TRIALS: Any = TrialModel.__table__
_STEPS: Any = TrialIntermediateValueModel.__table__
_VALUES: Any = TrialValueModel.__table__
_PARAMS: Any = TrialParamModel.__table__
_NOTES: Any = TrialSystemAttributeModel.__table__
_USER_NOTES: Any = TrialUserAttributeModel.__table__
_VERSIONS: Any = VersionInfoModel.__table__


def tables_made_by(connection: Any) -> str | None:
    """The version of Optuna that has made the tables of a database, or has brought them up to date last."""
    version: str | None = connection.execute(_VERSIONS.select().with_only_columns(_VERSIONS.c.library_version)).scalar()
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRows:
    """A trial as Optuna's tables should have it.

    Attributes:
        number: of the trial.
        state: in Optuna's words.
        start, complete: when it began and ended, UTC without a zone; None where that is not known, or not yet.
        params: rows of its decisions.
        values: its objectives; only of a COMPLETE one.
        steps: the accuracy at each rung that is known to have been reached.
        notes: for samplers; with the constraints, once it has ended.
        user_notes: for people.
    """

    number: int
    state: OptunaState
    start: datetime | None
    complete: datetime | None
    params: Sequence[Mapping[str, Any]]
    values: Sequence[float]
    steps: Mapping[int, float]
    notes: Mapping[str, Any]
    user_notes: Mapping[str, Any]


class _Held(NamedTuple):
    """A trial as the tables have it: its key there, and what tells whether it is up to date."""

    trial_id: int
    state: OptunaState
    complete: datetime | None
    steps: set[int]


class StudyRows:
    """The trials of one study, in one transaction."""

    def __init__(self, connection: Any, study_id: int) -> None:
        """Lock the study until the transaction ends."""
        self._connection, self._study_id = connection, study_id
        connection.execute(_STUDIES.select().where(_STUDIES.c.study_id == study_id).with_for_update())

    def highest_step(self) -> int:
        """The highest rung that any trial has reached; -1 where none has."""
        joined = _STEPS.join(_TRIALS, _STEPS.c.trial_id == _TRIALS.c.trial_id).select().where(self._is_ours)
        steps = joined.with_only_columns(_STEPS.c.step).order_by(_STEPS.c.step.desc()).limit(1)
        found = self._connection.execute(steps).scalar_one_or_none()
        return -1 if found is None else int(found)

    def demote(self, top: int) -> None:
        """Take the objectives of complete trials that have not reached rung `top`: they were left behind."""
        reached = _STEPS.select().with_only_columns(_STEPS.c.trial_id).where(_STEPS.c.step >= top)
        left = (
            _TRIALS.select()
            .with_only_columns(_TRIALS.c.trial_id)
            .where(self._is_ours, _TRIALS.c.state == OptunaState.COMPLETE, _TRIALS.c.trial_id.not_in(reached))
        )
        self._connection.execute(_VALUES.delete().where(_VALUES.c.trial_id.in_(left)))
        self._connection.execute(_TRIALS.update().where(_TRIALS.c.trial_id.in_(left)).values(state=OptunaState.PRUNED))

    def bring(self, trials: Sequence[TrialRows]) -> None:
        """Add trials that are not there, and bring others to what they should be; those that are it already stay."""
        held = self._held([one.number for one in trials])
        self._add([one for one in trials if one.number not in held])
        changed = [(held[one.number], one) for one in trials if one.number in held and _differs(held[one.number], one)]
        if changed:
            self._change(changed)

    @property
    def _is_ours(self) -> Any:
        return _TRIALS.c.study_id == self._study_id

    def _held(self, numbers: Collection[int]) -> dict[int, _Held]:
        ours = _TRIALS.select().where(self._is_ours, _TRIALS.c.number.in_(numbers))
        keys = ours.with_only_columns(_TRIALS.c.trial_id)
        steps: dict[int, set[int]] = {}
        reached = _STEPS.select().with_only_columns(_STEPS.c.trial_id, _STEPS.c.step)
        for identity, step in self._connection.execute(reached.where(_STEPS.c.trial_id.in_(keys))):
            steps.setdefault(identity, set()).add(step)
        return {
            row.number: _Held(row.trial_id, row.state, row.datetime_complete, steps.get(row.trial_id, set()))
            for row in self._connection.execute(ours)
        }

    def _add(self, trials: Sequence[TrialRows]) -> None:
        if not trials:
            return
        new = _TRIALS.insert().returning(_TRIALS.c.trial_id, sort_by_parameter_order=True)
        rows = [
            {
                "number": one.number,
                "study_id": self._study_id,
                "state": one.state,
                "datetime_start": one.start,
                "datetime_complete": one.complete,
            }
            for one in trials
        ]
        identities = self._connection.execute(new, rows).scalars().all()
        paired = list(zip(identities, trials, strict=True))
        self._insert(_PARAMS, [{"trial_id": identity, **row} for identity, one in paired for row in one.params])
        self._insert(_USER_NOTES, _note_rows(paired, "user_notes"))
        self._insert(_NOTES, _note_rows(paired, "notes"))
        self._add_results(paired, known={})

    def _change(self, changed: Sequence[tuple[_Held, TrialRows]]) -> None:
        for held, one in changed:
            is_it = _TRIALS.c.trial_id == held.trial_id
            self._connection.execute(
                _TRIALS.update().where(is_it).values(state=one.state, datetime_complete=one.complete)
            )
        ended = [(held.trial_id, one) for held, one in changed if not held.state.is_finished()]
        self._remove(_VALUES, [held.trial_id for held, _ in changed])
        self._remove(_NOTES, [identity for identity, _ in ended])
        self._insert(_NOTES, _note_rows(ended, "notes"))
        known = {held.trial_id: held.steps for held, _ in changed}
        self._add_results([(held.trial_id, one) for held, one in changed], known=known)

    def _add_results(self, paired: Sequence[tuple[int, TrialRows]], *, known: Mapping[int, Collection[int]]) -> None:
        """Objectives, which are not there, and the rungs that are not there."""
        finite, is_number = (
            TrialValueModel.TrialValueType.FINITE,
            TrialIntermediateValueModel.TrialIntermediateValueType,
        )
        values = [
            {"trial_id": identity, "objective": index, "value": value, "value_type": finite}
            for identity, one in paired
            for index, value in enumerate(one.values)
        ]
        steps = [
            {
                "trial_id": identity,
                "step": step,
                "intermediate_value": value,
                "intermediate_value_type": is_number.FINITE,
            }
            for identity, one in paired
            for step, value in one.steps.items()
            if step not in known.get(identity, ())
        ]
        self._insert(_VALUES, values)
        self._insert(_STEPS, steps)

    def _remove(self, table: Any, identities: Sequence[int]) -> None:
        if identities:
            self._connection.execute(table.delete().where(table.c.trial_id.in_(identities)))

    def _insert(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.execute(table.insert(), rows)


def _differs(held: _Held, wanted: TrialRows) -> bool:
    """Whether a trial has to be written; where its times are not known, by its state and rungs alone."""
    if held.state != wanted.state or not wanted.steps.keys() <= held.steps:
        return True
    return wanted.complete is not None and wanted.complete != held.complete


def _note_rows(paired: Sequence[tuple[int, TrialRows]], name: str) -> list[dict[str, Any]]:
    return [
        {"trial_id": identity, "key": key, "value_json": json.dumps(value)}
        for identity, one in paired
        for key, value in getattr(one, name).items()
    ]
