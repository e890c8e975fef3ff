"""The search loop: ask, price, train, tell, with every step written down before it matters.

A candidate's row is in the ledger before it is submitted and its evaluation is there before the sampler is told. So a
search that is killed at any moment loses at most the trainings under way: on the next start its rows are replayed,
finished ones are told and unfinished ones submitted again.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from nas.errors import BudgetError, NasError
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.ledger.leases import Lease
from nas.records import Evaluation, Failure, Plain, TrialRecord, TrialState
from nas.search.heartbeat import Heartbeat, Listen
from nas.search.ladder import Ladder
from nas.search.limits import Limits, Stop
from nas.search.mirror import Mirror
from nas.search.problem import Problem
from nas.search.progress import Progress
from nas.search.proposer import Proposal, Proposer
from nas.search.standing import Standing
from nas.search.weights import WeightsFolder

_POLL = 0.2  # seconds between looks at the workers, for the display
_RENEW = 5.0  # seconds between renewals of the lease, and between pulses
_MAX_ATTEMPTS = 3  # of a training whose worker was lost
_FIRST_FAILURES = 3  # this many defects before the first success stop the search
_BATCH = 50  # rejected asks written together

Watch = Callable[[Progress], None]


class SearchStopped(NasError):
    """The search cannot go on; what it has found so far is in the ledger."""


class Search:
    """One run of a study by the only driver it has, which is the only writer of the ledger."""

    def __init__(
        self,
        name: str,
        problem: Problem,
        *,
        ledger: Ledger,
        executor: Executor,
        limits: Limits,
        weights: WeightsFolder | None = None,
        mirror: Mirror | None = None,
        watch: Watch = lambda progress: None,
        listen: Listen = lambda pulse: None,
    ) -> None:
        """Prepare a run; nothing happens before `run`.

        Args:
            name: of the study, which is in the ledger already.
            problem: what it searches.
            ledger: where everything is kept.
            executor: who trains.
            limits: when it ends.
            weights: where trained weights go, those off the front being removed; None to keep none.
            mirror: Optuna's tables, or None to leave them alone.
            watch: called with the progress several times a second.
            listen: called with what the ledger is told of the search every few seconds.
        """
        self._name = name
        self._problem = problem
        self._ledger = ledger
        self._executor = executor
        self._limits = limits
        self._weights = weights
        self._mirror = mirror
        self._watch = watch
        self._heartbeat = Heartbeat(name, ledger=ledger, executor=executor, listen=listen)
        self._proposer = Proposer(problem)
        proxy, objectives = problem.proxy, problem.objectives
        self._standing = Standing(objectives, reference=problem.reference(), rungs=proxy.rungs)
        self._ladder = Ladder(proxy.rungs, maximise=objectives.maximise, reduction=proxy.reduction)
        self._records: list[TrialRecord] = []
        self._told: list[TrialRecord] = []  # the same at the first rung, which is the only one the sampler hears of
        self._unwritten: list[TrialRecord] = []
        self._forms: dict[str, Mapping[str, Plain]] = {}  # canonical dicts of what is not trained yet
        self._queue: deque[int] = deque()  # trials that are written but not submitted
        self._running: dict[str, int] = {}  # job id -> trial
        self._waiting: dict[str, list[int]] = {}  # candidate under way -> further trials that asked for it
        self._losses: Counter[int] = Counter()  # workers lost by trial, in this run: a killed driver is no fault of it
        self._fruitless = self._finished_here = 0
        self._stop: Stop | None = None
        self._asking = 0.0
        self._started = self._renewed = time.monotonic()

    def run(self, holder: str) -> Progress:
        """Search until a limit is reached, and say how it ended.

        Args:
            holder: `host:pid`, shown to whoever finds the study in use.

        Raises:
            BudgetError: no new candidate within budget was found for too long.
            SearchStopped: the first trainings all failed with a defect.
            StudyError: another driver has the study.
            KeyboardInterrupt: passed on; the study can be resumed.
        """
        self._started = self._renewed = time.monotonic()
        with self._ledger.lease(self._name, holder=holder) as lease:
            self._restore()
            self._beat(lease)
            while self._fill(lease) or self._running:
                self._collect()
                self._housekeeping(lease)
            self._write()
            self._copy_to_mirror()
            self._beat(lease)
        return self.progress()

    def progress(self) -> Progress:
        """How far the search is."""
        standing, limits = self._standing, self._limits
        fractions = self._executor.progress()
        running = tuple(fractions.get(job_id, 0.0) for job_id in self._running)
        seconds, best = time.monotonic() - self._started, standing.best
        failed = standing.failures.total()
        trained = standing.trained
        return Progress(
            target=limits.trials,
            trained=trained,
            reused=len(standing.known) - trained - failed,
            failed=failed,
            rejected=standing.counts[TrialState.REJECTED],
            running=running,
            best_id=best.architecture if best else "",
            best_accuracy=_accuracy(best),
            best_share=self._problem.domain.share(best.cost) if best else math.nan,
            seconds=seconds,
            seconds_left=self._seconds_left(seconds, sum(running)),
            train_seconds=standing.train_seconds,
            asking_seconds=self._asking,
            lost=self._losses.total(),
            stop=self._stop,
            rungs=self._ladder.counts(),
        )

    def _seconds_left(self, seconds: float, under_way: float) -> float:
        """Until the number of trials or the time is reached; NaN while that cannot be told."""
        left = [] if self._limits.seconds is None else [self._limits.seconds - seconds]
        if self._limits.trials is not None and self._finished_here:
            pace = (self._finished_here + under_way) / seconds
            left.append((self._limits.trials - len(self._standing.known) - under_way) / pace)
        return max(min(left), 0.0) if left else math.nan

    # --- from asking to training

    def _fill(self, lease: Lease) -> bool:
        """Give every free worker a job; False when there is nothing left to start."""
        while self._executor.capacity:
            number = self._queue.popleft() if self._queue else self._next(lease)
            if number is None:
                return False
            self._submit(number)
        return True

    def _next(self, lease: Lease) -> int | None:
        """The next candidate to go on, or else ask until one needs training; None when there is nothing to do."""
        while not self._is_out_of_time():
            number = self._going_on()
            if number is not None:
                return number
            if self._has_enough():
                return self._going_on(whole_front=True)
            begun = time.monotonic()
            proposal = self._proposer.ask()
            self._asking += time.monotonic() - begun
            record = self._write_down(proposal)
            if record.state is TrialState.QUEUED and record.architecture not in self._waiting:
                return record.number
            if self._fruitless >= self._limits.fruitless_asks:
                self._give_up()
                return None
            self._housekeeping(lease)
        return None

    def _is_out_of_time(self) -> bool:
        """Whether no training may begin any more, of new candidates or of those that would go on."""
        self._stop = self._limits.reached(
            trials=0,
            seconds=time.monotonic() - self._started,
            train_seconds=self._standing.train_seconds,
            stagnant=0,
        )
        return self._stop is not None

    def _going_on(self, *, whole_front: bool = False) -> int | None:
        """A candidate whose next rung is to be trained; what is known of it already is taken from the ledger."""
        while (promotion := self._ladder.promote(whole_front=whole_front)) is not None:
            record = self._records[promotion.number]
            known = self._ledger.find(self._problem.proxy.key(record.architecture, promotion.rung))
            if known is None:
                return promotion.number
            self._finish(record, known, fresh=False)
        return None

    def _has_enough(self) -> bool:
        new = sum(self._records[number].evaluation is None for number in self._running.values())
        self._stop = self._limits.reached(
            trials=len(self._standing.known) + new,
            seconds=time.monotonic() - self._started,
            train_seconds=self._standing.train_seconds,
            stagnant=self._standing.stagnant,
        )
        return self._stop is not None

    def _write_down(self, proposal: Proposal) -> TrialRecord:
        """Write a proposal to the ledger, with its end where that is known already."""
        candidate = proposal.candidate
        record = TrialRecord(
            number=proposal.number,
            architecture=candidate.id,
            choices=candidate.choices,
            cost=candidate.cost,
            overrun=candidate.overrun,
            state=TrialState.QUEUED,
            sampler=proposal.notes,
        )
        self._records.append(record)
        self._told.append(record)
        self._forms[candidate.id] = candidate.form
        self._fruitless += 1
        known = self._standing.known.get(candidate.id)
        if not candidate.is_feasible or known is not None:  # nothing is lost if these are written later
            self._unwritten.append(self._settle(_ended_at_once(record, known)))
            return self._unwritten[-1]
        self._unwritten.append(record)
        if candidate.id in self._under_way():
            self._waiting.setdefault(candidate.id, []).append(record.number)
            return record
        self._fruitless = 0
        self._write()
        evaluation = self._ledger.find(self._problem.proxy.key(candidate.id, 0))
        return record if evaluation is None else self._finish(record, evaluation, fresh=False)

    def _submit(self, number: int) -> None:
        record = self._records[number]
        attempts = self._ledger.record_submission(self._name, number)
        self._records[number] = replace(record, attempts=attempts)
        proxy, rung = self._problem.proxy, _next_rung(record)
        job = proxy.job(
            f"{number}.{attempts}",
            record.architecture,
            self._forms.get(record.architecture) or self._ledger.architecture(record.architecture),
            rung,
            weights=self._weights.path(record.architecture) if self._weights and rung == proxy.last else None,
        )
        self._executor.submit(job)
        self._running[job.id] = number

    def _give_up(self) -> None:
        """Say why nothing new is found, unless enough is under way to end well."""
        if self._running:
            return
        self._write()
        self._problem.domain.require_reachable()
        wanted = "" if self._limits.trials is None else f" of {self._limits.trials}"
        raise BudgetError(
            f"{self._fruitless} asks in a row gave no new candidate of {self._problem.domain.name} within budget; "
            f"{len(self._standing.known)}{wanted} were found and are in the ledger. Widen the budget or the space, or "
            "ask for fewer trials"
        )

    # --- from training to telling

    def _collect(self) -> None:
        for job_id, evaluation in ((one.job_id, one.evaluation) for one in self._executor.completed(_POLL)):
            number = self._running.pop(job_id)
            record = self._records[number]
            if evaluation.failure is Failure.NODE_LOST:
                self._losses[number] += 1
                if self._losses[number] < _MAX_ATTEMPTS:
                    self._ledger.record_loss(self._name, evaluation)
                    self._queue.append(number)
                    continue
            self._finished_here += 1
            self._finish(record, evaluation, fresh=True)
            for waiting in self._waiting.pop(record.architecture, []):
                self._finish(self._records[waiting], self._standing.known[record.architecture], fresh=False)
            self._stop_if_hopeless(evaluation)

    def _finish(self, record: TrialRecord, evaluation: Evaluation, *, fresh: bool) -> TrialRecord:
        """Close a trial, for good or until it goes on: ledger first, then the sampler."""
        self._write()  # a candidate that waits for another one's training is not in the ledger before
        state = self._state(record, evaluation, fresh=fresh)
        standing = self._ledger.finish(self._name, record.number, evaluation, state)
        if evaluation.key.rung == self._problem.proxy.last or state is TrialState.FAILED:
            self._problem.proxy.forget(evaluation.key)
        if state is TrialState.FAILED and record.evaluation is not None:
            return self._fall(record, standing)
        return self._settle(replace(record, state=state, evaluation=standing), fresh=fresh)

    def _fall(self, record: TrialRecord, failure: Evaluation) -> TrialRecord:
        """A candidate has failed on its way up: it keeps the result of the rung it came from."""
        fallen = self._records[record.number] = replace(record, state=TrialState.FAILED)
        self._standing.train_seconds += failure.seconds
        self._ladder.fall(record.number, failure.key.rung)
        return fallen

    def _state(self, record: TrialRecord, evaluation: Evaluation, *, fresh: bool) -> TrialState:
        if not evaluation.succeeded:
            return TrialState.FAILED
        is_another = record.evaluation is None and record.architecture in self._standing.known
        if evaluation.key.rung < self._problem.proxy.last and not is_another:
            return TrialState.STOPPED
        return TrialState.DONE if fresh else TrialState.REUSED

    def _settle(self, record: TrialRecord, *, fresh: bool = False) -> TrialRecord:
        """Take what became of a trial into account, and tell the sampler at the first rung."""
        is_first = self._records[record.number].evaluation is None
        self._records[record.number] = record
        beaten = self._standing.count(record, is_fresh=fresh)
        if is_first:
            self._told[record.number] = record
            self._proposer.tell(record)
        self._stand(record)
        self._drop_weights(beaten)
        return record

    def _stand(self, record: TrialRecord) -> None:
        """Put a candidate on its rung; another trial of the same candidate has no place of its own."""
        evaluation = record.evaluation
        is_another = record.state is TrialState.REUSED and evaluation is not None and evaluation.key.rung == 0
        if evaluation is None or (is_another and self._problem.proxy.last):
            return
        if evaluation.accuracy is None:
            return
        point = self._problem.objectives.point(evaluation.accuracy, record.cost)
        self._ladder.arrive(record.number, evaluation.key.rung, point)

    def _stop_if_hopeless(self, latest: Evaluation) -> None:
        standing = self._standing
        defects = standing.failures[Failure.BUG] + standing.failures[Failure.DATA]
        if defects == len(standing.known) >= min(_FIRST_FAILURES, self._limits.trials or _FIRST_FAILURES):
            raise SearchStopped(
                f"the first {defects} trainings all failed ({latest.failure}): {latest.message}\n{latest.traceback}"
            )

    def _drop_weights(self, beaten: Collection[str]) -> None:
        """Remove the weights of candidates that are not on the front any more."""
        if self._weights is None:
            return
        for identity in self._weights.remove(beaten):
            self._ledger.set_weights(self._problem.proxy.key(identity, self._problem.proxy.last), None)

    # --- from run to run

    def _restore(self) -> None:
        """Replay the ledger: the sampler learns what it knew, unfinished trials are queued again."""
        beaten: set[str] = set()
        for record in self._ledger.trials(self._name):
            climbed = self._climbed(record)
            self._proposer.restore(climbed[0])
            self._records.append(record)
            self._told.append(climbed[0])
            if record.state is TrialState.QUEUED:
                self._requeue(record)
                continue
            for step in climbed:
                beaten.update(self._standing.count(step, is_fresh=step.state is not TrialState.REUSED))
                self._stand(step)
            if record.state is TrialState.FAILED:
                self._ladder.fall(record.number, _next_rung(record))
        self._drop_weights(beaten)

    def _climbed(self, record: TrialRecord) -> list[TrialRecord]:
        """A trial as it was at each rung that it has reached."""
        last = record.evaluation
        if last is None or last.key.rung == 0:
            return [record]
        key = self._problem.proxy.key
        before = [self._ledger.find(key(record.architecture, rung)) for rung in range(last.key.rung)]
        steps = [replace(record, state=TrialState.STOPPED, evaluation=one) for one in before if one is not None]
        fell = record.state is TrialState.FAILED and last.succeeded
        return [*steps, replace(record, state=TrialState.STOPPED) if fell else record]

    def _requeue(self, record: TrialRecord) -> None:
        if record.architecture in self._under_way():
            self._waiting.setdefault(record.architecture, []).append(record.number)
        else:
            self._queue.append(record.number)

    def _under_way(self) -> set[str]:
        return {self._records[number].architecture for number in (*self._queue, *self._running.values())}

    def _write(self) -> None:
        """Write the trials that are not in the ledger yet, together."""
        if not self._unwritten:
            return
        forms = {one.architecture: self._forms[one.architecture] for one in self._unwritten}
        self._ledger.write_trials(self._name, self._unwritten, architectures=forms)
        self._unwritten.clear()
        kept = self._under_way() | {self._records[-1].architecture}
        self._forms = {identity: form for identity, form in self._forms.items() if identity in kept}

    def _housekeeping(self, lease: Lease) -> None:
        self._watch(self.progress())
        if len(self._unwritten) >= _BATCH:
            self._write()
        if time.monotonic() - self._renewed >= _RENEW:
            lease.renew()
            self._beat(lease)
            self._renewed = time.monotonic()
        if self._mirror is not None and self._mirror.is_due():
            self._mirror.copy(self._told)

    def _beat(self, lease: Lease) -> None:
        """Say how the search stands to whoever looks from elsewhere."""
        places, front = self._ladder.places(), self._standing.front
        self._heartbeat.beat(lease.holder, self.progress(), self._records, rungs=places, front=front)

    def _copy_to_mirror(self) -> None:
        if self._mirror is not None:
            self._mirror.copy(self._told)
            self._mirror.close()


def _ended_at_once(record: TrialRecord, known: Evaluation | None) -> TrialRecord:
    """A trial that needs no training: over budget, or of a candidate that was evaluated in this study before."""
    if known is None:
        return replace(record, state=TrialState.REJECTED)
    return replace(record, state=TrialState.REUSED if known.succeeded else TrialState.FAILED, evaluation=known)


def _next_rung(record: TrialRecord) -> int:
    return 0 if record.evaluation is None else record.evaluation.key.rung + 1


def _accuracy(record: TrialRecord | None) -> float:
    if record is None or record.evaluation is None or record.evaluation.accuracy is None:
        return math.nan
    return record.evaluation.accuracy
