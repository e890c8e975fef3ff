"""Optuna's own tables, kept beside ours so that Optuna's tools open a study.

A mirror only: nothing is ever read back. Finished trials are copied in the order of their numbers, in batches, because
each copy costs tens of milliseconds where a row of our own costs less than one.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.storages import RDBStorage

from nas.errors import LedgerError
from nas.ledger.engine import explained, normalised
from nas.records import TrialRecord, TrialState
from nas.search.proposer import DIRECTIONS, METRICS, frozen_trial
from nas.space import Dimension

_EVERY = 5.0  # seconds between batches


class Mirror:
    """Copies the finished head of a study into Optuna's tables."""

    def __init__(self, url: str, study: str, dimensions: Mapping[str, Dimension]) -> None:
        """Copy `study` into the database at `url`."""
        self._url = normalised(url)
        self._name = study
        self._dimensions = dimensions
        self._study: optuna.Study | None = None
        self._storage: RDBStorage | None = None
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
        self._last = time.monotonic()
        if self._is_off:
            return
        try:
            with explained(self._name):
                self._copy(records)
        except (LedgerError, optuna.exceptions.OptunaError):
            self._is_off = True  # nothing depends on a mirror, and the next run copies what is missing

    def _copy(self, records: Sequence[TrialRecord]) -> None:
        study = self._study or self._open()
        known = len(study.get_trials(deepcopy=False))
        for record in records[known:]:
            if record.state is TrialState.QUEUED:
                break
            study.add_trial(frozen_trial(record, self._dimensions))

    def close(self) -> None:
        """Close the connections."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _open(self) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._storage = RDBStorage(self._url)
        self._study = optuna.create_study(
            storage=self._storage, study_name=self._name, directions=list(DIRECTIONS), load_if_exists=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study.set_metric_names(list(METRICS))
        return self._study
