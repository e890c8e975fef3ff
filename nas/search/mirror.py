"""Optuna's own tables, kept beside ours so that Optuna's tools open a study.

A mirror only: nothing is ever read back. Finished trials are copied in the order of their numbers, in batches of one
transaction. They are written into Optuna's tables directly, because its own way costs 25 ms a trial of twenty decisions
and more with every trial there is (it counts them), which would be most of what the engine spends on a trial.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import (
    TrialModel,
    TrialParamModel,
    TrialSystemAttributeModel,
    TrialUserAttributeModel,
    TrialValueModel,
)
from optuna.trial import FrozenTrial

from nas.errors import LedgerError
from nas.ledger.engine import normalised
from nas.ledger.failures import explained
from nas.records import TrialRecord, TrialState
from nas.search.objectives import Objectives
from nas.search.optuna_trials import directions, frozen_trial
from nas.space.dimension import Dimension

_EVERY = 5.0  # seconds between batches


class Mirror:
    """Copies the finished head of a study into Optuna's tables."""

    def __init__(self, url: str, study: str, dimensions: Mapping[str, Dimension], objectives: Objectives) -> None:
        """Copy `study` into the database at `url`."""
        self._url = normalised(url)
        self._name = study
        self._dimensions = dimensions
        self._objectives = objectives
        self._storage: RDBStorage | None = None
        self._study_id = self._copied = 0
        self._last = time.monotonic()
        self._is_off = False

    def is_due(self) -> bool:
        """Whether the next batch should be copied."""
        return time.monotonic() - self._last >= _EVERY

    def copy(self, records: Sequence[TrialRecord]) -> None:
        """Copy what is finished and not there yet.

        Args:
            records: the trials of the study by number, without gaps.
        """
        if self._is_off:
            return
        try:
            with explained(self._name):
                self._copy(records)
        except (LedgerError, optuna.exceptions.OptunaError):
            self._is_off = True  # nothing depends on a mirror, and the next run copies what is missing
        self._last = time.monotonic()

    def _copy(self, records: Sequence[TrialRecord]) -> None:
        storage = self._storage or self._open()
        end = self._copied
        while end < len(records) and records[end].state is not TrialState.QUEUED:
            end += 1
        trials = [frozen_trial(one, self._objectives, self._dimensions) for one in records[self._copied : end]]
        if trials:
            _append(storage, self._study_id, trials, first=self._copied)
        self._copied = end

    def close(self) -> None:
        """Close the connections."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = None

    def _open(self) -> RDBStorage:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = self._storage = RDBStorage(self._url)
        study = optuna.create_study(
            storage=storage, study_name=self._name, directions=directions(self._objectives), load_if_exists=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(self._objectives.names))
        self._study_id = storage.get_study_id_from_name(self._name)
        self._copied = storage.get_n_trials(self._study_id)
        return storage


def _append(storage: RDBStorage, study_id: int, trials: Sequence[FrozenTrial], *, first: int) -> None:
    """Add finished trials to a study, numbered from `first`, all of them or none."""
    now = datetime.now(UTC).replace(tzinfo=None)
    children: dict[Any, list[dict[str, Any]]] = {
        model: [] for model in (TrialParamModel, TrialValueModel, TrialUserAttributeModel, TrialSystemAttributeModel)
    }
    with storage.engine.begin() as connection:
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
