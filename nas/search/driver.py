"""The one loop that drives workers, for every kind of study.

A search, a comparison, a judgement of a proxy and a refinement differ in what is to be trained next and in what follows
from a result; each of them is a source of jobs. Everything else is here and the same for all: the lease, handing out,
collecting, lost workers, writing in batches, the pulse. A job is in the ledger before a worker has it and a result is
there before it is used, so that a driver that is killed at any moment loses at most the trainings under way.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol

from nas.errors import NasError
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.ledger.leases import Lease
from nas.pulse import Pulse
from nas.records import Ending, Evaluation, Failure, Job, Plain, TrialRecord
from nas.search.pulse import Progress, pulse_of, with_time_left
from nas.search.stopping import Stop

MOST_LOSSES = 3
"""A training that has cost so many workers in a row has failed; before that it goes to another one."""

_FIRST_FAILURES = 3  # this many trainings that fail for no fault of their network, before any success, end the run
_DEFECTS = {Failure.BUG, Failure.DATA, Failure.NODE_LOST}

_TIMES_UP = {Stop.TIME, Stop.TRAIN_TIME}

_POLL = 0.2  # seconds between looks at the workers, for the display
_BEAT = 5.0  # seconds between renewals of the lease, and between pulses
_BATCH = 50  # trials that need no training written together
_HOLD = 0.1  # seconds for which jobs are held back to be written down together

Watch = Callable[[Progress], None]
Listen = Callable[[Pulse], None]


class StudyStopped(NasError):
    """A study cannot go on; what it has found so far is in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A training that is to go to a worker.

    Attributes:
        number: of its trial.
        attempts: how often the trial has gone to a worker so far, at any rung and in any run.
        losses: how many workers this training has cost in this run.
        job: what the worker is told; the driver gives it an id.
    """

    number: int
    attempts: int
    losses: int = 0
    job: Job


class Ended(NamedTuple):
    """A training that is over: it has an accuracy, or has failed for good."""

    submission: Submission
    evaluation: Evaluation


class Source(Protocol):
    """Where the jobs of a study come from, and where their results go. Called by one thread, its driver's."""

    @property
    def writer(self) -> TrialWriter:
        """How its trials get into the ledger."""
        ...

    def begin(self, alive: Callable[[], None]) -> None:
        """Take up what the ledger holds of the study; `alive` wants to be called every few seconds meanwhile."""
        ...

    def next(self, meanwhile: Callable[[], None]) -> Submission | None:
        """What a free worker should do; None while there is nothing, and for good once nothing is under way.

        Its trial has been given to the writer. Where finding it takes long, `meanwhile` is called now and then; `take`
        may be called in it.
        """
        ...

    def take(self, ended: Sequence[Ended]) -> None:
        """Keep results by the writer and draw the conclusions."""
        ...

    def turn(self) -> None:
        """Called several times a second, for what else there is to be done."""
        ...

    def end(self) -> None:
        """Nothing is left to do; everything is written."""
        ...

    def progress(self) -> Progress:
        """How far it is, without what the driver knows: what is running, the time, losses. It must not take long."""
        ...

    def pulse(self) -> Pulse:
        """Its trials by state, its rungs and its front; the driver adds the rest."""
        ...


class TrialWriter:
    """Writes the trials of a study, together where that loses nothing.

    Attributes:
        study: its name.
        ledger: where it is.
    """

    def __init__(self, study: str, ledger: Ledger) -> None:
        """Nothing is waiting to be written."""
        self.study = study
        self.ledger = ledger
        self._waiting: list[TrialRecord] = []
        self._forms: dict[str, Mapping[str, Plain]] = {}

    @property
    def is_full(self) -> bool:
        """Whether enough is waiting to be worth a transaction."""
        return len(self._waiting) >= _BATCH

    def add(self, record: TrialRecord, form: Mapping[str, Plain]) -> None:
        """Have a trial written before anything is done about it; `form` is the canonical dict of its architecture."""
        self._waiting.append(record)
        self._forms[record.architecture_id] = form

    def write(self, attempts: Mapping[int, int] | None = None) -> None:
        """Write what is waiting, and the attempts at trials that are about to go to workers, by number."""
        if self._waiting or attempts:
            self.ledger.write_trials(self.study, self._waiting, architectures=self._forms, attempts=attempts)
            self._waiting, self._forms = [], {}

    def finish(self, endings: Sequence[Ending]) -> list[Evaluation]:
        """Keep evaluations and close their trials, after whatever is waiting; returns those that stand."""
        self.write()
        return self.ledger.finish_all(self.study, endings)


class Driver:
    """One run of a study, by the only writer its ledger has."""

    def __init__(
        self,
        source: Source,
        *,
        executor: Executor,
        asks_ahead: bool = False,
        watch: Watch = lambda progress: None,
        listen: Listen = lambda pulse: None,
    ) -> None:
        """Prepare a run; nothing happens before `run`.

        Args:
            source: what is to be done; its study is in the ledger already.
            executor: who trains.
            asks_ahead: whether to have a further training at hand for every worker. It costs the source the results of
                those trainings, and pays where finding the next one takes long, as where networks are measured first.
            watch: called with the progress several times a second.
            listen: called with what the ledger is told of the run every few seconds.
        """
        self._source = source
        self._writer = source.writer
        self._executor = executor
        self._asks_ahead = asks_ahead
        self._watch = watch
        self._listen = listen
        self._at_hand: deque[Submission] = deque()  # those found for workers that have no room for them yet
        self._running: dict[str, Submission] = {}  # by job
        self._lost: deque[Submission] = deque()  # those whose worker was lost, to go out again
        self._failures: Counter[Failure] = Counter()  # of trainings, earlier runs and lost workers included
        self._losses = self._finished = 0
        self._was_in_vain = False  # the time ended while no worker could be had
        self._defects = 0  # trainings of this run that failed by a defect, the first ones and nothing but them
        self._started = self._beaten = time.monotonic()

    def run(self, holder: str) -> Progress:
        """Do what is to be done, and say how it ended.

        Args:
            holder: `host:pid`, shown to whoever finds the study in use.

        Raises:
            StudyError: another driver has the study.
            StudyStopped: the first trainings all failed by a defect or took their workers down.
            NasError: the workers or the ledger fail for good; what is finished is kept.
            KeyboardInterrupt: passed on; the study can be resumed.
            ...: what the source raises.
        """
        self._started = self._beaten = time.monotonic()
        writer = self._writer
        with writer.ledger.lease(writer.study, holder=holder) as lease:
            self._source.begin(lease.renew)
            self._failures.update(writer.ledger.failures(writer.study))
            self._beat(lease)
            while self._fill(lease) or self._running or self._lost or self._at_hand:
                self._collect()
                self._turn(lease)
                if self._waits_in_vain():
                    self._withdraw()
                    break
            writer.write()
            self._source.end()
            self._beat(lease)
        return self.progress()

    def progress(self) -> Progress:
        """How far the study is."""
        fractions = self._executor.progress()
        lacking = self._executor.shortage() if self._running else ""
        said = self._source.progress()
        progress = replace(
            said,
            stop=Stop.TIME if self._was_in_vain else said.stop,
            running=() if lacking else tuple(fractions.get(job, 0.0) for job in self._running),
            waiting=lacking or said.waiting,
            seconds=time.monotonic() - self._started,
            lost=self._losses,
        )
        return with_time_left(progress, finished=self._finished)

    def _fill(self, lease: Lease) -> bool:
        """Give every free worker a job, and find those that are to be at hand; False when there is none for now."""
        since = time.monotonic()
        while self._wanted > len(self._at_hand):
            submission = self._lost.popleft() if self._lost else self._source.next(partial(self._attend, lease))
            if submission is None:
                if self._source.progress().stop in _TIMES_UP:  # the next run has them first
                    self._at_hand.clear()
                self._hand_out()
                return False
            self._at_hand.append(submission)
            if time.monotonic() - since >= _HOLD:
                self._hand_out()
                self._turn(lease)
                since = time.monotonic()
        self._hand_out()
        return True

    @property
    def _wanted(self) -> int:
        """How many trainings are to be at hand before they are handed out."""
        return self._executor.capacity + (self._executor.workers if self._asks_ahead else 0)

    def _attend(self, lease: Lease) -> None:
        """See to the workers while the source is busy with something that takes long."""
        if self._asks_ahead:
            self._collect(0.0)
            self._hand_out()
        self._turn(lease)

    def _hand_out(self) -> None:
        """Give jobs to the workers that are free, once the ledger knows that it is about to happen."""
        count = min(self._executor.capacity, len(self._at_hand))
        submissions = [self._at_hand.popleft() for _ in range(count)]
        submissions = [replace(submission, attempts=submission.attempts + 1) for submission in submissions]
        self._writer.write({submission.number: submission.attempts for submission in submissions})
        for submission in submissions:
            job = replace(submission.job, id=f"{submission.number}.{submission.attempts}")
            self._executor.submit(job)
            self._running[job.id] = submission

    def _collect(self, timeout: float = _POLL) -> None:
        """Keep what has ended; what was lost with its worker goes out again, unless that has happened too often."""
        ended: list[Ended] = []
        for one in self._executor.completed(timeout):
            submission, evaluation = self._running.pop(one.job_id), one.evaluation
            if evaluation.failure is not None:
                self._failures[evaluation.failure] += 1
            if evaluation.failure is Failure.NODE_LOST:
                self._losses += 1
                submission = replace(submission, losses=submission.losses + 1)
                if submission.losses < MOST_LOSSES:
                    self._writer.ledger.record_loss(self._writer.study, evaluation)
                    self._lost.append(submission)
                    continue
            self._finished += 1
            ended.append(Ended(submission, evaluation))
        if ended:
            self._source.take(ended)
            self._stop_if_hopeless([evaluation for _, evaluation in ended])

    def _waits_in_vain(self) -> bool:
        """Whether the time is over before any worker could be had."""
        progress = self._source.progress()
        is_over = progress.stop in _TIMES_UP or progress.seconds_left <= 0
        return is_over and bool(self._running) and bool(self._executor.shortage())

    def _withdraw(self) -> None:
        """Take back the jobs that wait for a worker: the next run has them first."""
        for job in self._running:
            self._executor.cancel(job)
        self._running.clear()
        self._at_hand.clear()
        self._lost.clear()
        self._was_in_vain = True

    def _stop_if_hopeless(self, latest: Sequence[Evaluation]) -> None:
        """End a run whose first trainings all fail alike: the others would, too, and each may cost its workers."""
        failures = [one.failure for one in latest if one.failure in _DEFECTS]
        self._defects += len(failures)
        if not failures or self._defects < self._finished:
            return
        progress = self._source.progress()
        enough = _FIRST_FAILURES if progress.target is None else min(_FIRST_FAILURES, progress.target)
        if self._defects < enough or progress.done > progress.failed:
            return
        which = "training" if self._defects == 1 else f"{self._defects} trainings all"
        cost = f", each with {MOST_LOSSES} workers" if failures[-1] is Failure.NODE_LOST else ""
        reason = f"{latest[-1].failure}{cost}".replace("_", " ")
        said = f"{latest[-1].message}\n{latest[-1].traceback}".rstrip()
        raise StudyStopped(f"the first {which} failed ({reason}): {said}")

    def _turn(self, lease: Lease) -> None:
        self._watch(self.progress())
        if self._writer.is_full:
            self._writer.write()
        if time.monotonic() - self._beaten >= _BEAT:
            lease.renew()
            self._beat(lease)
        self._source.turn()

    def _beat(self, lease: Lease) -> None:
        """Say how the study stands: to the ledger, for whoever looks from elsewhere, and to who listens here."""
        writer = self._writer
        pulse = pulse_of(
            self._source.pulse(),
            self.progress(),
            driver=lease.holder,
            failures=self._failures,
            executor=self._executor,
            paces=writer.ledger.paces(writer.study),
        )
        writer.ledger.save_pulse(pulse)
        self._listen(pulse)
        self._beaten = time.monotonic()


def this_process() -> str:
    """What a driver in this process is called: `host:pid`."""
    return f"{socket.gethostname()}:{os.getpid()}"
