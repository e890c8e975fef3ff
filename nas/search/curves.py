"""The learning curves of a search as one table, beside its weights.

A row for every epoch of every candidate that was trained, with the mean training loss; validation loss and accuracy
stand at the last epoch of each rung, where a candidate is judged. The table follows from the ledger: a run begins by
writing it anew, and goes on by adding to it, so that no epoch is there twice however a run before it ended.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Self

from nas.records import TrialRecord

CURVES = "curves.csv"
_COLUMNS = ("trial", "architecture", "rung", "epoch", "train_loss", "validation_loss", "validation_accuracy")


class CurveLog:
    """Writes the table of a study while it is searched."""

    def __init__(self, folder: Path, *, notify: Callable[[str], None] = lambda message: None) -> None:
        """Nothing is written before something is added, by whoever may drive the study; to be closed by `with`.

        Args:
            folder: of the study, which is there.
            notify: told, once, that the table cannot be written; a search goes on without.
        """
        self._path, self._notify = folder / CURVES, notify
        self._written: dict[str, int] = {}  # epochs by architecture
        self._file: IO[str] | None = None
        self._is_published = self._is_off = False

    def add(self, record: TrialRecord) -> None:
        """Take in what a trial has come to at a rung; epochs that are there already, by another trial, too, stay."""
        evaluation = record.evaluation
        if self._is_off or evaluation is None or not evaluation.succeeded:
            return
        known, epochs = self._written.get(record.architecture_id, 0), len(evaluation.curve)
        rows = []
        for epoch in range(known + 1, epochs + 1):
            judged = (evaluation.loss, evaluation.accuracy) if epoch == epochs else (None, None)
            loss = evaluation.curve[epoch - 1]
            rows.append((record.number, record.architecture_id, evaluation.key.rung, epoch, loss, *judged))
        self._written[record.architecture_id] = max(known, epochs)
        self._safely(lambda: self._write(rows))

    def publish(self) -> None:
        """Let others see what was taken in."""
        self._safely(self._publish)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file; a table that was never published is left out, and an older one stays."""
        file, self._file = self._file, None
        if file is not None:
            self._safely(file.close)
            if not self._is_published:
                self._beside.unlink(missing_ok=True)

    def _write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        if self._file is None:
            self._file = self._beside.open("w", encoding="utf-8", newline="")
            csv.writer(self._file, lineterminator="\n").writerow(_COLUMNS)
        csv.writer(self._file, lineterminator="\n").writerows(rows)

    @property
    def _beside(self) -> Path:
        return self._path.with_suffix(".part")

    def _publish(self) -> None:
        if self._file is None:
            return
        self._file.flush()
        if not self._is_published:
            self._beside.replace(self._path)
            self._is_published = True

    def _safely(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._file, self._is_off = None, True
            self._notify(f"{self._path}: cannot be written ({error.strerror or error}); the ledger has the curves")
