"""Optuna's own tables, kept beside ours so that Optuna's tools open a study and show what we show.

A mirror only: nothing is ever read back. What it holds follows from the ledger, whenever and by whatever runs it was
written:

* The objectives of a trial are those of its highest rung. COMPLETE are the trials at the highest rung that any has
  reached, which the front is of; those that stopped below are PRUNED, as are those over budget or failed, whose
  constraints say so. What is under way is RUNNING.
* The accuracy at each rung is an intermediate value, at the step of that rung's number.
* A trial starts when it is asked for and ends when the training of its result did, UTC; one that needs no training at
  the moment it is asked for.
* What the study is (space, budget, data, recipe and so on) stands among its user attributes.

Trials are copied in the order of their numbers, in batches of one transaction. A server that is away ends nothing: what
is missing is copied when it is back.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.trial import TrialState as OptunaState

from nas.ledger import Ledger
from nas.ledger.engine import engine_options, normalised
from nas.ledger.trials import Times
from nas.records import Plain, TrialRecord, TrialState
from nas.search.objectives import Objectives
from nas.search.optuna.rows import StudyRows, TrialRows, tables_made_by
from nas.search.optuna.trials import attributes, directions, user_attributes, values
from nas.search.samplers.base import distribution
from nas.space.dimension import Dimension

_EVERY = 5.0  # seconds between batches
_SELDOM = 300.0  # the same after many failures
_TOGETHER = 1000  # trials at most that a batch is waited for
_MOST = 20_000  # trials that are kept for a database that is away


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A trial to be copied, with the accuracy at each rung since it was copied last."""

    record: TrialRecord
    steps: Mapping[int, float]

    @classmethod
    def of(cls, record: TrialRecord, before: _Waiting | None) -> Self:
        """The trial as it is now; what the driver has forgotten of it since it ended is as it was."""
        evaluation, steps = record.evaluation, {} if before is None else dict(before.steps)
        if evaluation is not None and evaluation.accuracy is not None:
            steps[evaluation.key.rung] = evaluation.accuracy
        if before is None:
            return cls(record, steps)
        return cls(replace(before.record, state=record.state, evaluation=evaluation), steps)


class Mirror:
    """Copies the trials of a study into Optuna's tables."""

    def __init__(
        self,
        url: str,
        study: str,
        dimensions: Mapping[str, Dimension],
        objectives: Objectives,
        *,
        ledger: Ledger | None = None,
        about: Mapping[str, Plain] | None = None,
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        """Copy `study` into the database at `url`.

        Args:
            url: of the database.
            study: its name, in both.
            dimensions: its decisions.
            objectives: what it makes good.
            ledger: has the times of its trials; only trials that are there are copied. None: copy all, ending now.
            about: what the study is, as attributes.
            notify: told, once, that this does not succeed.
        """
        self._url = normalised(url)
        self._name = study
        self._objectives = objectives
        self._ledger = ledger
        self._about = about or {}
        self._notify = notify
        self._questions = {name: _Question.of(dimension) for name, dimension in dimensions.items()}
        self._backlog: dict[int, _Waiting] = {}  # what is not copied yet, by number
        self._top = self._demoted = -1  # the highest rung that any trial has reached, and that the tables know of
        self._is_off = False
        self._storage: RDBStorage | None = None
        self._study_id = 0
        self._last = time.monotonic()
        self._pause = _EVERY
        self._is_known_to_fail = False

    def note(self, record: TrialRecord) -> None:
        """Take in a trial, or what has become of it at a rung; new ones come without gaps in their numbers."""
        if self._is_off:
            return
        is_new = record.number not in self._backlog
        waiting = self._backlog[record.number] = _Waiting.of(record, self._backlog.get(record.number))
        self._top = max(self._top, *waiting.steps, -1)
        if is_new and len(self._backlog) % _TOGETHER == 0:
            self.copy()  # a long study that is resumed: most of it is there, and need not be kept in memory

    def is_due(self) -> bool:
        """Whether the next batch should be copied."""
        return time.monotonic() - self._last >= self._pause

    def copy(self) -> None:
        """Copy what is not there yet; what goes wrong is tried again later, ever more seldom."""
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
        numbers = sorted(self._backlog)
        for start in range(0, len(numbers), _TOGETHER):
            known = self._times(numbers[start : start + _TOGETHER])
            with storage.engine.begin() as connection:
                study = StudyRows(connection, self._study_id)
                if self._top > self._demoted:
                    study.demote(self._top)
                study.bring([self._rows(self._backlog[number], known[number]) for number in known])
            self._demoted = self._top
            for number in known:
                del self._backlog[number]

    def _times(self, numbers: Collection[int]) -> dict[int, Times | None]:
        """The times of those of the trials that can be copied now, in the order of their numbers."""
        if self._ledger is None:
            return dict.fromkeys(numbers)
        return dict(sorted(self._ledger.trial_times(self._name, numbers).items()))

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
        storage = self._storage = RDBStorage(
            self._url, engine_kwargs=engine_options(self._url), skip_compatibility_check=True
        )
        _require_tables(storage)
        study = optuna.create_study(
            storage=storage, study_name=self._name, directions=directions(self._objectives), load_if_exists=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(self._objectives.names))
        held = study.user_attrs
        for name, value in self._about.items():
            if name not in held or held[name] != value:
                study.set_user_attr(name, value)
        self._study_id = storage.get_study_id_from_name(self._name)
        with storage.engine.begin() as connection:
            self._top = max(self._top, StudyRows(connection, self._study_id).highest_step())
        return storage

    def _rows(self, waiting: _Waiting, times: Times | None) -> TrialRows:
        """A trial as Optuna's tables should have it."""
        record, state = waiting.record, self._state(waiting.record)
        now = datetime.now(UTC).replace(tzinfo=None) if times is None else None
        asked = now if times is None else _moment(times.asked)
        ended = now if times is None else max(filter(None, (asked, _moment(times.finished))), default=None)
        told = values(record, self._objectives) if state is OptunaState.COMPLETE else None
        return TrialRows(
            number=record.number,
            state=state,
            start=asked,
            complete=ended if state.is_finished() else None,
            params=[
                {"param_name": name, **self._questions[name].answered(value)} for name, value in record.choices.items()
            ],
            values=told or (),
            steps=waiting.steps,
            notes=attributes(record),
            user_notes=user_attributes(record),
        )

    def _state(self, record: TrialRecord) -> OptunaState:
        if record.state is TrialState.QUEUED:
            return OptunaState.RUNNING
        evaluation = record.evaluation
        if evaluation is None or evaluation.accuracy is None or evaluation.key.rung < self._top:
            return OptunaState.PRUNED
        return OptunaState.COMPLETE


def _require_tables(storage: RDBStorage) -> None:
    """Raise where the tables are not those of the installed Optuna.

    As Optuna's own check, but for tables that this very version has made: its migrations are read for the others alone,
    which takes a third of the time of opening a study, as each `ask` and `tell` does.
    """
    with storage.engine.connect() as connection:
        if tables_made_by(connection) == optuna.__version__:
            return
    if storage.get_current_version() != storage.get_head_version():
        raise RuntimeError("the tables are of another version of Optuna")


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


def _moment(text: str | None) -> datetime | None:
    """A time of the ledger as Optuna's tables have it: without a zone."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
