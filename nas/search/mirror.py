"""Optuna's own tables, kept beside ours so that Optuna's tools open a study.

A mirror only: nothing is ever read back. Finished trials are copied in the order of their numbers, in batches of one
transaction. A server that is away ends nothing: what is missing is copied when it is back. They are written into
Optuna's tables directly, because its own way costs 25 ms a trial of twenty decisions and more with every trial there is
(it counts them), which would be most of what the engine spends on a trial.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import (
    StudyModel,
    TrialModel,
    TrialParamModel,
    TrialSystemAttributeModel,
    TrialUserAttributeModel,
    TrialValueModel,
)
from optuna.trial import FrozenTrial

from nas.ledger.engine import engine_options, normalised
from nas.records import TrialRecord, TrialState
from nas.search.objectives import Objectives
from nas.search.optuna_trials import directions, frozen_trial
from nas.space.dimension import Dimension

_EVERY = 5.0  # seconds between batches
_SELDOM = 300.0  # the same after many failures


class Mirror:
    """Copies the finished head of a study into Optuna's tables."""

    def __init__(
        self,
        url: str,
        study: str,
        dimensions: Mapping[str, Dimension],
        objectives: Objectives,
        *,
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        """Copy `study` into the database at `url`; `notify` is told, once, that this does not succeed."""
        self._url = normalised(url)
        self._name = study
        self._dimensions = dimensions
        self._objectives = objectives
        self._notify = notify
        self._storage: RDBStorage | None = None
        self._study_id = self._copied = 0
        self._last = time.monotonic()
        self._pause = _EVERY
        self._is_known_to_fail = False

    def is_due(self) -> bool:
        """Whether the next batch should be copied."""
        return time.monotonic() - self._last >= self._pause

    def copy(self, records: Sequence[TrialRecord]) -> None:
        """Copy what is finished and not there yet; what goes wrong is tried again later, ever more seldom.

        Args:
            records: the trials of the study by number, without gaps.
        """
        try:
            self._copy(records)
        except Exception as error:  # whatever ails Optuna's tables: nothing depends on them, and a search is dear
            self._give_up_for_now(error)
        else:
            self._pause = _EVERY
        self._last = time.monotonic()

    def _copy(self, records: Sequence[TrialRecord]) -> None:
        storage = self._storage or self._open()
        end = self._copied
        while end < len(records) and records[end].state is not TrialState.QUEUED:
            end += 1
        if end > self._copied:
            self._append(storage, records[:end])
        self._copied = end

    def _append(self, storage: RDBStorage, records: Sequence[TrialRecord]) -> None:
        """Add those that the study does not hold yet, all of them or none.

        Which it holds is asked anew, with the study locked: a batch before may have been committed without our hearing
        of it.
        """
        with storage.engine.begin() as connection:
            studies, trials = StudyModel.__table__, TrialModel.__table__
            connection.execute(studies.select().where(studies.c.study_id == self._study_id).with_for_update())
            held = trials.select().with_only_columns(trials.c.number).where(trials.c.study_id == self._study_id)
            last = connection.execute(held.order_by(trials.c.trial_id.desc()).limit(1)).scalar_one_or_none()
            first = 0 if last is None else last + 1
            fresh = [frozen_trial(one, self._objectives, self._dimensions) for one in records[first:]]
            _insert(connection, self._study_id, fresh, first=first)

    def _give_up_for_now(self, error: Exception) -> None:
        self.close()
        self._pause = min(2 * self._pause, _SELDOM)
        if not self._is_known_to_fail:
            self._is_known_to_fail = True
            self._notify(f"Optuna's copy of the study is behind; the ledger is complete ({type(error).__name__})")

    def close(self) -> None:
        """Close the connections."""
        storage, self._storage = self._storage, None
        if storage is not None:
            with suppress(Exception):  # a connection that was cut cannot be closed properly
                storage.remove_session()
            storage.engine.dispose()

    def _open(self) -> RDBStorage:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = self._storage = RDBStorage(self._url, engine_kwargs=engine_options(self._url))
        study = optuna.create_study(
            storage=storage, study_name=self._name, directions=directions(self._objectives), load_if_exists=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(self._objectives.names))
        self._study_id = storage.get_study_id_from_name(self._name)
        self._copied = storage.get_n_trials(self._study_id)
        return storage


def _insert(connection: Any, study_id: int, trials: Sequence[FrozenTrial], *, first: int) -> None:
    """Add finished trials to a study, numbered from `first`."""
    now = datetime.now(UTC).replace(tzinfo=None)
    children: dict[Any, list[dict[str, Any]]] = {
        model: [] for model in (TrialParamModel, TrialValueModel, TrialUserAttributeModel, TrialSystemAttributeModel)
    }
    new = TrialModel.__table__.insert().returning(TrialModel.trial_id)
    for number, trial in enumerate(trials, start=first):
        row = {"number": number, "study_id": study_id, "state": trial.state}
        identity = connection.execute(new, {**row, "datetime_start": now, "datetime_complete": now}).scalar_one()
        for model, rows in _children(trial).items():
            children[model] += [{"trial_id": identity, **row} for row in rows]
    for model, rows in children.items():
        if rows:
            connection.execute(model.__table__.insert(), rows)


def _children(trial: FrozenTrial) -> dict[Any, list[dict[str, Any]]]:
    """The rows of a trial in the other tables."""
    kind = TrialValueModel.TrialValueType.FINITE
    return {
        TrialParamModel: [
            {
                "param_name": name,
                "param_value": trial.distributions[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(trial.distributions[name]),
            }
            for name, value in trial.params.items()
        ],
        TrialValueModel: [
            {"objective": index, "value": value, "value_type": kind} for index, value in enumerate(trial.values or ())
        ],
        TrialUserAttributeModel: _attributes(trial.user_attrs),
        TrialSystemAttributeModel: _attributes(trial.system_attrs),
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in values.items()]
