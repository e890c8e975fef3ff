"""The search loop: ask, price, train, tell, with every step written down before it matters.

A candidate's row is in the ledger before it is submitted and its evaluation is there before the sampler is told. So a
search that is killed at any moment loses at most the trainings under way: on the next start its rows are replayed,
finished ones are told and unfinished ones submitted again.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from nas.errors import BudgetError, NasError
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.ledger.leases import Lease
from nas.records import Ending, Evaluation, Failure, Job, Plain, TrialRecord, TrialState
from nas.search.artifacts import WeightsFolder
from nas.search.halving import Halving
from nas.search.optuna.mirror import Mirror
from nas.search.problem import Problem
from nas.search.proposer import Proposal, Proposer
from nas.search.pulse import Heartbeat, Listen, Progress
from nas.search.results import Results
from nas.search.stopping import Limits, Stop
from nas.search.trials import OpenTrials, UnderWay, next_rung, replayed

_POLL = 0.2  # seconds between looks at the workers, for the display
_RENEW = 5.0  # seconds between renewals of the lease, and between pulses
_FIRST_FAILURES = 3  # this many defects before the first success stop the search
_BATCH = 50  # asks that need no training written together
_HOLD = 0.1  # seconds for which jobs are held back to be written down together

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
        self._results = Results(objectives, reference=problem.reference(), rungs=proxy.rungs)
        self._halving = Halving(proxy.rungs, maximise=objectives.maximise, reduction=proxy.reduction)
        self._trials = OpenTrials()
        self._failures: Counter[Failure] = Counter()  # of trainings, lost workers included
        self._unwritten: list[TrialRecord] = []
        self._forms: dict[str, Mapping[str, Plain]] = {}  # canonical dicts of what is not written or not submitted yet
        self._under_way = UnderWay()
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
            self._restore(lease)
            self._beat(lease)
            while self._fill(lease) or self._under_way:
                self._collect()
                self._housekeeping(lease)
            self._write()
            self._copy_to_mirror()
            self._beat(lease)
        return self.progress()

    @property
    def front(self) -> int:
        """How many candidates are on the front of the highest rung that any has reached."""
        return self._results.front

    def progress(self) -> Progress:
        """How far the search is."""
        results, limits = self._results, self._limits
        fractions = self._executor.progress()
        running = tuple(fractions.get(job_id, 0.0) for job_id in self._under_way.jobs)
        seconds, best = time.monotonic() - self._started, results.best
        failed = results.failures.total()
        trained = results.trained
        return Progress(
            target=limits.trials,
            trained=trained,
            reused=len(results.known) - trained - failed,
            failed=failed,
            rejected=results.counts[TrialState.REJECTED],
            running=running,
            best_id=best.architecture if best else "",
            best_accuracy=_accuracy(best),
            best_share=self._problem.domain.share(best.cost) if best else math.nan,
            seconds=seconds,
            seconds_left=self._seconds_left(seconds, sum(running)),
            train_seconds=results.train_seconds,
            asking_seconds=self._asking,
            lost=self._under_way.lost,
            stop=self._stop,
            rungs=self._halving.counts(),
        )

    def _seconds_left(self, seconds: float, under_way: float) -> float:
        """Until the number of trials or the time is reached; NaN while that cannot be told."""
        left = [] if self._limits.seconds is None else [self._limits.seconds - seconds]
        if self._limits.trials is not None and self._finished_here:
            pace = (self._finished_here + under_way) / seconds
            left.append((self._limits.trials - len(self._results.known) - under_way) / pace)
        return max(min(left), 0.0) if left else math.nan

    # --- from asking to training

    def _fill(self, lease: Lease) -> bool:
        """Give every free worker a job; False when there is nothing left to start."""
        chosen: list[int] = []
        since = time.monotonic()
        while self._executor.capacity > len(chosen):
            number = next(self._under_way.queued(), None)
            number = self._next(lease) if number is None else number
            if number is None:
                self._submit(chosen)
                return False
            chosen.append(number)
            if time.monotonic() - since >= _HOLD:
                self._submit(chosen)
                self._housekeeping(lease)
                chosen, since = [], time.monotonic()
        self._submit(chosen)
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
            if self._write_down(proposal):
                return proposal.number
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
            train_seconds=self._results.train_seconds,
            stagnant=0,
        )
        return self._stop is not None

    def _going_on(self, *, whole_front: bool = False) -> int | None:
        """A candidate whose next rung is to be trained; what is known of it already is taken from the ledger."""
        while (promotion := self._halving.promote(whole_front=whole_front)) is not None:
            record = self._trials[promotion.number]
            known = self._ledger.find(self._problem.proxy.key(record.architecture, promotion.rung))
            if known is None:
                self._under_way.climb(record)
                return promotion.number
            self._finish([_Result(record, known, is_fresh=False)])
        return None

    def _has_enough(self) -> bool:
        self._stop = self._limits.reached(
            trials=len(self._results.known) + self._under_way.new,
            seconds=time.monotonic() - self._started,
            train_seconds=self._results.train_seconds,
            stagnant=self._results.stagnant,
        )
        return self._stop is not None

    def _write_down(self, proposal: Proposal) -> bool:
        """Note a proposal, with its end where that is known already; whether it is to be trained now."""
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
        self._trials.put(record)
        self._note(record)
        self._forms[candidate.id] = candidate.form
        self._fruitless += 1
        known = self._results.known.get(candidate.id)
        if not candidate.is_feasible or known is not None:  # nothing is lost if these are written later
            self._unwritten.append(self._settle(_ended_at_once(record, known)))
            return False
        self._unwritten.append(record)
        if candidate.id in self._under_way:
            self._under_way.enter(record)
            return False
        self._fruitless = 0
        evaluation = self._ledger.find(self._problem.proxy.key(candidate.id, 0))
        if evaluation is not None:
            self._finish([_Result(record, evaluation, is_fresh=False)])
            return False
        return self._under_way.enter(record)

    def _submit(self, numbers: Sequence[int]) -> None:
        """Hand out jobs, once the ledger knows that it is about to happen."""
        if not numbers:
            return
        attempts = {number: self._trials[number].attempts + 1 for number in numbers}
        self._write(attempts)
        for number in numbers:
            record = replace(self._trials[number], attempts=attempts[number])
            self._trials.put(record)
            job = self._job(record)
            self._executor.submit(job)
            self._under_way.begin(job.id, number)

    def _job(self, record: TrialRecord) -> Job:
        proxy, rung = self._problem.proxy, next_rung(record)
        form = self._forms.pop(record.architecture, None)
        return proxy.job(
            f"{record.number}.{record.attempts}",
            record.architecture,
            self._ledger.architecture(record.architecture) if form is None else form,
            rung,
            weights=self._weights.path(record.architecture) if self._weights and rung == proxy.last else None,
        )

    def _give_up(self) -> None:
        """Say why nothing new is found, unless enough is under way to end well."""
        if self._under_way:
            return
        self._write()
        self._problem.domain.require_reachable()
        wanted = "" if self._limits.trials is None else f" of {self._limits.trials}"
        raise BudgetError(
            f"{self._fruitless} asks in a row gave no new candidate of {self._problem.domain.name} within budget; "
            f"{len(self._results.known)}{wanted} were found and are in the ledger. Widen the budget or the space, or "
            "ask for fewer trials"
        )

    # --- from training to telling

    def _collect(self) -> None:
        results: list[_Result] = []
        for one in self._executor.completed(_POLL):
            number, evaluation = self._under_way.end(one.job_id), one.evaluation
            if evaluation.failure is Failure.NODE_LOST and self._under_way.lose(number):
                self._ledger.record_loss(self._name, evaluation)
                self._failures[Failure.NODE_LOST] += 1
                continue
            record = self._trials[number]
            waited = [self._trials[other] for other in self._under_way.leave(record)]
            results.append(_Result(record, evaluation, is_fresh=True))
            results += [_Result(other, evaluation, is_fresh=False) for other in waited]
        self._finish(results)

    def _finish(self, results: Sequence[_Result]) -> None:
        """Close trials, for good or until they go on: ledger first, then the sampler."""
        if not results:
            return
        self._write()  # a candidate that waits for another one's training is not in the ledger before
        endings = self._endings(results)
        for result, ending, kept in zip(results, endings, self._ledger.finish_all(self._name, endings), strict=True):
            self._close(result, ending.state, kept)
            self._stop_if_hopeless(result.evaluation)

    def _endings(self, results: Sequence[_Result]) -> list[Ending]:
        endings: list[Ending] = []
        known = set[str]()  # by an earlier one of the results
        for record, evaluation, is_fresh in results:
            is_another = record.evaluation is None and (
                record.architecture in known or record.architecture in self._results.known
            )
            state = self._state(evaluation, is_fresh=is_fresh, is_another=is_another)
            endings.append(Ending(number=record.number, evaluation=evaluation, state=state))
            known.add(record.architecture)
        return endings

    def _close(self, result: _Result, state: TrialState, evaluation: Evaluation) -> None:
        """Take in that a trial has ended in some state, the ledger having kept its evaluation."""
        record = result.record
        self._finished_here += result.is_fresh
        if evaluation.failure is not None:
            self._failures[evaluation.failure] += result.is_fresh
        self._forms.pop(record.architecture, None)
        if evaluation.key.rung == self._problem.proxy.last or state is TrialState.FAILED:
            self._problem.proxy.forget(evaluation.key)
        if state is TrialState.FAILED and record.evaluation is not None:
            self._fall(record, evaluation)
        else:
            self._settle(replace(record, state=state, evaluation=evaluation), is_fresh=result.is_fresh)

    def _fall(self, record: TrialRecord, failure: Evaluation) -> None:
        """A candidate has failed on its way up: it keeps the result of the rung it came from."""
        self._trials.put(replace(record, state=TrialState.FAILED))
        self._results.train_seconds += failure.seconds
        self._halving.fall(record.number, failure.key.rung)

    def _state(self, evaluation: Evaluation, *, is_fresh: bool, is_another: bool) -> TrialState:
        if not evaluation.succeeded:
            return TrialState.FAILED
        if evaluation.key.rung < self._problem.proxy.last and not is_another:
            return TrialState.STOPPED
        return TrialState.DONE if is_fresh else TrialState.REUSED

    def _settle(self, record: TrialRecord, *, is_fresh: bool = False) -> TrialRecord:
        """Take what became of a trial into account, and tell the sampler at the first rung."""
        is_first = self._trials[record.number].evaluation is None
        beaten = self._results.count(record, is_fresh=is_fresh)
        if is_first:
            self._proposer.tell(record)
            self._note(record)
        self._trials.put(record)
        self._stand(record)
        self._drop_weights(beaten)
        return record

    def _note(self, record: TrialRecord) -> None:
        """Let Optuna's tables know; like the sampler, they hear of the first rung alone."""
        if self._mirror is not None:
            self._mirror.note(record)

    def _stand(self, record: TrialRecord) -> None:
        """Put a candidate on its rung; another trial of the same candidate has no place of its own."""
        evaluation = record.evaluation
        is_another = record.state is TrialState.REUSED and evaluation is not None and evaluation.key.rung == 0
        if evaluation is None or (is_another and self._problem.proxy.last):
            return
        if evaluation.accuracy is None:
            return
        point = self._problem.objectives.point(evaluation.accuracy, record.cost)
        self._halving.arrive(record.number, evaluation.key.rung, point)

    def _stop_if_hopeless(self, latest: Evaluation) -> None:
        results = self._results
        defects = results.failures[Failure.BUG] + results.failures[Failure.DATA]
        if defects == len(results.known) >= min(_FIRST_FAILURES, self._limits.trials or _FIRST_FAILURES):
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

    def _restore(self, lease: Lease) -> None:
        """Replay the ledger: the sampler learns what it knew, unfinished trials are queued again."""
        beaten: set[str] = set()
        for record, climbed in replayed(self._ledger, self._name, self._problem.proxy):
            lease.renew()
            self._proposer.restore(climbed[0])
            self._note(climbed[0])
            self._trials.put(record)
            if record.state is TrialState.QUEUED:
                if self._under_way.enter(record):
                    self._under_way.queue(record.number)
                continue
            for step in climbed:
                beaten.update(self._results.count(step, is_fresh=step.state is not TrialState.REUSED))
                self._stand(step)
            if record.state is TrialState.FAILED:
                self._halving.fall(record.number, next_rung(record))
        self._failures.update(self._ledger.failures(self._name))
        self._drop_weights(beaten)

    def _write(self, attempts: Mapping[int, int] | None = None) -> None:
        """Write the trials that are not in the ledger yet, and those that are about to be submitted, together."""
        if not self._unwritten and not attempts:
            return
        forms = {one.architecture: self._forms[one.architecture] for one in self._unwritten}
        self._ledger.write_trials(self._name, self._unwritten, architectures=forms, attempts=attempts)
        for one in self._unwritten:
            if one.state is not TrialState.QUEUED:
                self._forms.pop(one.architecture, None)
        self._unwritten.clear()

    def _housekeeping(self, lease: Lease) -> None:
        self._watch(self.progress())
        if len(self._unwritten) >= _BATCH:
            self._write()
        if time.monotonic() - self._renewed >= _RENEW:
            lease.renew()
            self._beat(lease)
            self._renewed = time.monotonic()
        if self._mirror is not None and self._mirror.is_due():
            self._mirror.copy()

    def _beat(self, lease: Lease) -> None:
        """Say how the search stands to whoever looks from elsewhere."""
        self._heartbeat.beat(
            lease.holder,
            self.progress(),
            self._trials.counts,
            failures=self._failures,
            rungs=self._halving.places(),
            front=self._results.front,
        )

    def _copy_to_mirror(self) -> None:
        if self._mirror is not None:
            self._mirror.copy()
            self._mirror.close()


class _Result(NamedTuple):
    """An evaluation for a trial.

    Attributes:
        record: what the trial was before.
        evaluation: the result, or how it failed.
        is_fresh: whether this study has paid for it just now.
    """

    record: TrialRecord
    evaluation: Evaluation
    is_fresh: bool


def _ended_at_once(record: TrialRecord, known: Evaluation | None) -> TrialRecord:
    """A trial that needs no training: over budget, or of a candidate that was evaluated in this study before."""
    if known is None:
        return replace(record, state=TrialState.REJECTED)
    return replace(record, state=TrialState.REUSED if known.succeeded else TrialState.FAILED, evaluation=known)


def _accuracy(record: TrialRecord | None) -> float:
    if record is None or record.evaluation is None or record.evaluation.accuracy is None:
        return math.nan
    return record.evaluation.accuracy
