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
from typing import Any, NamedTuple, Self

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import (
    StudyModel,
    TrialModel,
    TrialParamModel,
    TrialSystemAttributeModel,
    TrialUserAttributeModel,
    TrialValueModel,
)

from nas.ledger.engine import engine_options, normalised
from nas.records import TrialRecord, TrialState
from nas.search.objectives import Objectives
from nas.search.optuna.trials import attributes, directions, optuna_state, user_attributes, values
from nas.search.samplers.base import distribution
from nas.space.dimension import Dimension

_EVERY = 5.0  # seconds between batches
_SELDOM = 300.0  # the same after many failures
_TOGETHER = 1000  # trials at most that a batch is waited for
_MOST = 20_000  # trials that are kept for a database that is away


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
        self._objectives = objectives
        self._notify = notify
        self._questions = {name: _Question.of(dimension) for name, dimension in dimensions.items()}
        self._backlog: dict[int, TrialRecord] = {}  # what is not copied yet, by number
        self._is_off = False
        self._storage: RDBStorage | None = None
        self._study_id = self._copied = 0
        self._last = time.monotonic()
        self._pause = _EVERY
        self._is_known_to_fail = False

    def note(self, record: TrialRecord) -> None:
        """Take in a trial to be copied, or that it has ended; they come without gaps in their numbers."""
        if not self._is_off and record.number >= self._copied:
            self._backlog[record.number] = record
            if self._storage is None and len(self._backlog) % _TOGETHER == 0:
                self.copy()  # a long study that is resumed: most of it is there, and need not be kept in memory

    def is_due(self) -> bool:
        """Whether the next batch should be copied."""
        return time.monotonic() - self._last >= self._pause

    def copy(self) -> None:
        """Copy what is finished and not there yet; what goes wrong is tried again later, ever more seldom."""
        if self._is_off:
            return
        try:
            self._copy(self._storage or self._open())
        except Exception as error:  # whatever ails Optuna's tables: nothing depends on them, and a search is dear
            self._give_up_for_now(error)
        else:
            self._pause = _EVERY
        self._last = time.monotonic()

    def _copy(self, storage: RDBStorage) -> None:
        while found := self._finished():
            self._append(storage, found)
            self._copied += len(found)
            for record in found:
                del self._backlog[record.number]

    def _finished(self) -> list[TrialRecord]:
        """The next trials to be copied, all of them finished; at most as many as fit into a batch."""
        found: list[TrialRecord] = []
        while len(found) < _TOGETHER:
            record = self._backlog.get(self._copied + len(found))
            if record is None or record.state is TrialState.QUEUED:
                break
            found.append(record)
        return found

    def _append(self, storage: RDBStorage, records: Sequence[TrialRecord]) -> None:
        """Add those that the study does not hold yet, all of them or none.

        Which it holds is asked anew, with the study locked: a batch before may have been committed without our hearing
        of it.
        """
        with storage.engine.begin() as connection:
            studies = StudyModel.__table__
            connection.execute(studies.select().where(studies.c.study_id == self._study_id).with_for_update())
            first = self._held(connection)
            fresh = [record for record in records if record.number >= first]
            if fresh:
                self._insert(connection, fresh)

    def _give_up_for_now(self, error: Exception) -> None:
        self.close()
        if len(self._backlog) > _MOST:  # they would fill the memory; the next run copies what is missing
            self._is_off = True
            self._backlog.clear()
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
        with storage.engine.connect() as connection:
            self._copied = self._held(connection)
        self._backlog = {number: one for number, one in self._backlog.items() if number >= self._copied}
        return storage

    def _held(self, connection: Any) -> int:
        """How many trials the study holds; Optuna's own count loads all of them."""
        trials = TrialModel.__table__
        held = trials.select().with_only_columns(trials.c.number).where(trials.c.study_id == self._study_id)
        last = connection.execute(held.order_by(trials.c.trial_id.desc()).limit(1)).scalar_one_or_none()
        return 0 if last is None else last + 1

    def _insert(self, connection: Any, records: Sequence[TrialRecord]) -> None:
        """Add finished trials."""
        now = datetime.now(UTC).replace(tzinfo=None)
        trials = [
            {
                "number": record.number,
                "study_id": self._study_id,
                "state": optuna_state(record),
                "datetime_start": now,
                "datetime_complete": now,
            }
            for record in records
        ]
        new = TrialModel.__table__.insert().returning(TrialModel.trial_id, sort_by_parameter_order=True)
        identities = connection.execute(new, trials).scalars().all()
        children: dict[Any, list[dict[str, Any]]] = {}
        for identity, record in zip(identities, records, strict=True):
            for model, rows in self._children(record).items():
                children.setdefault(model, []).extend({"trial_id": identity, **row} for row in rows)
        for model, rows in children.items():
            if rows:
                connection.execute(model.__table__.insert(), rows)

    def _children(self, record: TrialRecord) -> dict[Any, list[dict[str, Any]]]:
        """The rows of a trial in the other tables."""
        kind = TrialValueModel.TrialValueType.FINITE
        told = values(record, self._objectives) or ()
        return {
            TrialParamModel: [
                {"param_name": name, **self._questions[name].answered(value)} for name, value in record.choices.items()
            ],
            TrialValueModel: [
                {"objective": index, "value": value, "value_type": kind} for index, value in enumerate(told)
            ],
            TrialUserAttributeModel: _attributes(user_attributes(record)),
            TrialSystemAttributeModel: _attributes(attributes(record)),
        }


class _Question(NamedTuple):
    """A decision in Optuna's form, and how Optuna writes that down."""

    distribution: BaseDistribution
    text: str

    @classmethod
    def of(cls, dimension: Dimension) -> Self:
        made = distribution(dimension)
        return cls(made, distribution_to_json(made))

    def answered(self, value: Any) -> dict[str, Any]:
        """The columns of an answer."""
        return {"param_value": self.distribution.to_internal_repr(value), "distribution_json": self.text}


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in values.items()]
