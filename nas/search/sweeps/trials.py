"""The trials of a sweep while it runs: few enough to be kept in memory, all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from nas.pulse import Pulse, RungState
from nas.records import Ending, Evaluation, TrialRecord, TrialState
from nas.search.driver import Ended, TrialWriter
from nas.search.pulse import Progress
from nas.search.stopping import Stop


class SweepTrials:
    """The records of a sweep's trials, in memory as in the ledger."""

    def __init__(self, writer: TrialWriter, wanted: Collection[int]) -> None:
        """Read them.

        Args:
            writer: of the study.
            wanted: numbers of the trials that this run is about, in their order; the study may have more.
        """
        self._writer = writer
        self._wanted = wanted
        self._records = {record.number: record for record in writer.ledger.trials(writer.study)}
        self._train_seconds = writer.ledger.status(writer.study).pulse.train_seconds

    def __getitem__(self, number: int) -> TrialRecord:
        """One of them."""
        return self._records[number]

    @property
    def queued(self) -> list[int]:
        """Those that are wanted and have no result."""
        return [number for number in self._wanted if self._records[number].state is TrialState.QUEUED]

    def take(self, ended: Sequence[Ended], state_of: Callable[[Evaluation], TrialState]) -> list[Evaluation]:
        """Keep what was trained just now; returns the evaluations that stand."""
        for submission, evaluation in ended:
            record = self._records[submission.number]
            self._records[record.number] = replace(record, attempts=submission.attempts)
            self._train_seconds += evaluation.seconds
        return self.finish([Ending(number=one.number, evaluation=by, state=state_of(by)) for one, by in ended])

    def finish(self, endings: Sequence[Ending]) -> list[Evaluation]:
        """Keep evaluations and close their trials; returns the evaluations that stand."""
        kept = self._writer.finish(endings)
        for ending, evaluation in zip(endings, kept, strict=True):
            record = self._records[ending.number]
            before = record.evaluation
            fell = ending.state is TrialState.FAILED and before is not None and before.succeeded
            self._records[record.number] = replace(
                record, state=ending.state, evaluation=before if fell else evaluation
            )
        return kept

    def progress(self, *, is_over: bool, rungs: tuple[int, ...] = ()) -> Progress:
        """How far the wanted ones are.

        Args:
            is_over: whether nothing is left to do.
            rungs: candidates that have reached each rung, where some go on and others do not.
        """
        records = [self._records[number] for number in self._wanted]
        states = Counter(record.state for record in records)
        best = max(records, key=_merit)
        accuracy = _accuracy(best)
        return Progress(
            target=len(records),
            trained=states[TrialState.DONE] + states[TrialState.STOPPED],
            reused=states[TrialState.REUSED],
            failed=states[TrialState.FAILED],
            best_id="" if math.isnan(accuracy) else best.architecture_id,
            best_accuracy=accuracy,
            train_seconds=self._train_seconds,
            rungs=rungs,
            stop=Stop.COMPLETION if is_over else None,
        )

    def pulse(self, rungs: tuple[RungState, ...] = ()) -> Pulse:
        """The states of all, and who is on which rung, where some go on and others do not."""
        states = Counter(record.state for record in self._records.values())
        return Pulse(study=self._writer.study, trials=dict(states), rungs=rungs)


def _accuracy(record: TrialRecord) -> float:
    evaluation = record.evaluation
    return math.nan if evaluation is None or evaluation.accuracy is None else evaluation.accuracy


def _merit(record: TrialRecord) -> tuple[int, float]:
    """By the rung first: accuracies of different ones are not compared."""
    evaluation, accuracy = record.evaluation, _accuracy(record)
    return (-1, 0.0) if evaluation is None or math.isnan(accuracy) else (evaluation.key.rung, accuracy)
