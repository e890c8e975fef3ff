"""A sweep as a source of jobs: each training once, a higher rung of one after its lower ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nas.ledger import Ledger
from nas.pulse import Pulse
from nas.records import Ending, Evaluation, EvaluationKey, TrialState
from nas.search.driver import Ended, Submission, TrialWriter
from nas.search.known import KnownTrainings
from nas.search.pulse import Progress
from nas.search.sweeps.trainings import Sweep, number_trainings
from nas.search.sweeps.trials import SweepTrials
from nas.train.recipe import Recipe


class SweepRun:
    """Does what a sweep's study lacks.

    What any study has trained before is not trained again. A training whose lower rung failed fails with it. Failed
    ones are tried again by the next run, except those that diverged, which would diverge again.

    Attributes:
        writer: see `Source`.
        sweep: what is to be trained.
    """

    def __init__(self, sweep: Sweep, ledger: Ledger) -> None:
        """Nothing happens before `begin`; the study is in the ledger already."""
        self.writer = TrialWriter(sweep.study, ledger)
        self.sweep = sweep
        self._ledger = ledger
        self._known_trainings = KnownTrainings(ledger)

    def begin(self, alive: Callable[[], None]) -> None:
        """Make sure that every training is a trial, and look what is left; see `Source`."""
        self._trainings = number_trainings(self.sweep, self._ledger)
        self._keys = {number: self.sweep.key(training) for number, training in self._trainings.items()}
        self._trials = SweepTrials(self.writer, self._trainings)
        self._waiting = dict.fromkeys(self._trials.queued)  # an ordered set
        self._running: set[int] = set()
        self._failed: dict[EvaluationKey, Evaluation] = {}  # by the key of rung 0

    def next(self, meanwhile: Callable[[], None]) -> Submission | None:
        """The first training that need not wait for another one; see `Source`."""
        pending = {self._keys[number] for number in (*self._waiting, *self._running)}
        for number in list(self._waiting):
            key = self._keys[number]
            if any(replace(key, rung=rung) in pending for rung in range(key.rung)) or self._is_running(key):
                continue
            del self._waiting[number]
            known = self._known(key, self._trainings[number].recipe)
            if known is None:
                self._running.add(number)
                attempts, job = self._trials[number].attempts, self.sweep.job(self._trainings[number])
                return Submission(number=number, attempts=attempts, job=job)
            state = TrialState.REUSED if known.succeeded else TrialState.FAILED
            self._fail([known])
            self._trials.finish([Ending(number=number, evaluation=known, state=state)])
            pending.discard(key)
        return None

    def take(self, ended: Sequence[Ended]) -> None:
        """See `Source`."""
        self._running.difference_update(submission.number for submission, _ in ended)
        self._fail([evaluation for _, evaluation in ended])
        self._trials.take(ended, lambda one: TrialState.DONE if one.succeeded else TrialState.FAILED)

    def turn(self) -> None:
        """There is nothing else to be done."""

    def end(self) -> None:
        """There is nothing else to be done."""

    def progress(self) -> Progress:
        """See `Source`."""
        return self._trials.progress(is_over=not self._waiting and not self._running)

    def pulse(self) -> Pulse:
        """See `Source`."""
        return self._trials.pulse()

    def _is_running(self, key: EvaluationKey) -> bool:
        """Whether the very same training is under way for another trial."""
        return any(self._keys[number] == key for number in self._running)

    def _fail(self, evaluations: Sequence[Evaluation]) -> None:
        """Remember what failed, for its higher rungs."""
        for one in evaluations:
            if not one.succeeded:
                self._failed.setdefault(replace(one.key, rung=0), one)

    def _known(self, key: EvaluationKey, recipe: Recipe) -> Evaluation | None:
        """The evaluation that needs no training: it was done before, or its rung cannot be reached."""
        before = self._failed.get(replace(key, rung=0))
        if before is None or before.key.rung >= key.rung:
            known = self._known_trainings.find(key, recipe)
            lacks_test = known is not None and self.sweep.test and known.test_accuracy is None
            return None if lacks_test else known
        said = f"rung {before.key.rung} of this training failed: {before.message}"
        return Evaluation(key=key, failure=before.failure, message=said)
