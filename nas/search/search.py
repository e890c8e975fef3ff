"""A search as a source of jobs: ask, price, train, tell, with every step written down before it matters.

A candidate's row is in the ledger before it is trained and its evaluation is there before the sampler is told. So a
search that is killed at any moment is replayed on the next start: finished trials are told, unfinished ones trained.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from nas.analysis.proxy_health import Trained
from nas.errors import BudgetError
from nas.ledger import Ledger
from nas.pulse import Pulse
from nas.records import Ending, Evaluation, Plain, TrialRecord, TrialState
from nas.search.artifacts import WeightsFolder
from nas.search.domain import Candidate
from nas.search.driver import Ended, Submission, TrialWriter
from nas.search.gauge import Gauge
from nas.search.halving import Halving
from nas.search.known import KnownTrainings
from nas.search.optuna.mirror import Mirror
from nas.search.problem import Problem
from nas.search.proposer import Proposal, Proposer
from nas.search.proxy_watch import ProxyWatch
from nas.search.pulse import Progress
from nas.search.results import Results
from nas.search.stopping import Limits, Stop
from nas.search.trials import OpenTrials, UnderWay, next_rung, replayed

_LOOKS = {8, 32, 128, 512}
"""Fruitless asks after which it is worth a look whether anything is left."""


class TrialLog(Protocol):
    """What a search writes beside the ledger, from which it follows."""

    def add(self, record: TrialRecord) -> None:
        """Take in what a trial has come to; on start, what those of earlier runs came to, rung by rung."""
        ...

    def publish(self) -> None:
        """Let others see what was taken in."""
        ...


class Search:
    """The candidates of a study: which is trained next, and what follows from its accuracy.

    Attributes:
        writer: see `Source`.
    """

    def __init__(
        self,
        name: str,
        problem: Problem,
        *,
        ledger: Ledger,
        limits: Limits,
        weights: WeightsFolder | None = None,
        mirror: Mirror | None = None,
        logs: Sequence[TrialLog] = (),
        gauge: Gauge | None = None,
    ) -> None:
        """Nothing happens before a driver begins.

        Args:
            name: of the study, which is in the ledger already.
            problem: what it searches.
            ledger: where everything is kept.
            limits: when it ends.
            weights: where trained weights go, those off the front being removed; None to keep none.
            mirror: Optuna's tables, or None to leave them alone.
            logs: told what becomes of every trial, such as a table of learning curves.
            gauge: who measures the problem's candidates, or None.
        """
        self.writer = TrialWriter(name, ledger)
        self._problem = problem
        self._ledger = ledger
        self._known_trainings = KnownTrainings(ledger)
        self._limits = limits
        self._weights = weights
        self._mirror = mirror
        self._logs = logs
        self._gauge = gauge
        self._proposer = Proposer(problem)
        proxy, objectives = problem.proxy, problem.objectives
        self._results = Results(objectives, reference=problem.reference(), rungs=proxy.rungs)
        self._halving = Halving(proxy.rungs, maximise=objectives.maximise, reduction=proxy.reduction)
        self._health = ProxyWatch(proxy.yardstick)
        self._trials = OpenTrials()
        self._under_way = UnderWay()
        self._unfinished: deque[int] = deque()  # trials of an earlier run that are to be trained
        self._fruitless = 0
        self._exhausted = False
        self._stop: Stop | None = None
        self._asking = 0.0
        self._started = time.monotonic()

    @property
    def front(self) -> int:
        """How many candidates are on the front of the highest rung that any has reached."""
        return self._results.front

    def progress(self) -> Progress:
        """How far the search is; see `Source`."""
        results, limits = self._results, self._limits
        best = results.best
        failed = results.failures.total()
        return Progress(
            target=limits.trials,
            trained=results.trained,
            reused=len(results.known) - results.trained - failed,
            failed=failed,
            rejected=results.counts[TrialState.REJECTED],
            best_id=best.architecture_id if best else "",
            best_accuracy=_accuracy(best),
            best_share=self._problem.domain.share(best.cost) if best else math.nan,
            seconds_left=math.nan if limits.seconds is None else limits.seconds - self._seconds,
            train_seconds=results.train_seconds,
            asking_seconds=self._asking,
            stop=self._stop,
            waiting="" if self._gauge is None else self._gauge.shortage(),
            rungs=self._halving.counts(),
            warnings=self._health.warnings,
        )

    def pulse(self) -> Pulse:
        """What only a search knows of itself; see `Source`."""
        return Pulse(
            study=self.writer.study, trials=self._trials.present, rungs=self._halving.places(), front=self.front
        )

    def turn(self) -> None:
        """Keep Optuna's tables and the logs up to date."""
        if self._mirror is not None and self._mirror.is_due():
            self._mirror.copy()
        for log in self._logs:
            log.publish()

    def end(self) -> None:
        """Leave Optuna's tables and the logs complete."""
        if self._mirror is not None:
            self._mirror.copy()
            self._mirror.close()
        for log in self._logs:
            log.publish()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    # --- from run to run

    def begin(self, alive: Callable[[], None]) -> None:
        """Replay the ledger: the sampler learns what it knew, unfinished trials are to be trained."""
        self._started = time.monotonic()
        beaten: set[str] = set()
        for record, climbed in replayed(self._ledger, self.writer.study, self._problem.proxy):
            alive()
            self._proposer.restore(climbed[0])
            for step in climbed:
                self._note(step)
            self._trials.put(record)
            if record.state is TrialState.QUEUED:
                if self._under_way.enter(record):
                    self._unfinished.append(record.number)
                continue
            for step in climbed:
                beaten.update(self._results.count(step, is_fresh=step.state is not TrialState.REUSED))
                self._stand(step)
            if record.state is TrialState.FAILED:
                self._halving.fall(record.number, next_rung(record))
        self._drop_weights(beaten)

    def unfinished(self) -> list[Submission]:
        """What earlier runs asked for and nobody has an accuracy of, by number."""
        return [self._submission(number) for number in self._unfinished]

    def knows(self, architecture_id: str) -> bool:
        """Whether the study has an evaluation of a candidate, be it a failure."""
        return architecture_id in self._results.known

    # --- from asking to training

    def next(self, meanwhile: Callable[[], None]) -> Submission | None:
        """The next candidate to go on, or else ask until one needs training; None when there is nothing to do.

        Raises:
            BudgetError: no new candidate within budget was found for too long.
        """
        if self._unfinished:
            return self._submission(self._unfinished.popleft())
        if self._gauge is not None:
            self._gauge.alive = meanwhile
        while not self._is_out_of_time():
            submission = self._going_on()
            if submission is not None:
                return submission
            if self._has_enough():
                return self._going_on(whole_front=True)
            if self._is_exhausted():
                self._give_up(
                    f"{self._problem.domain.name} is exhausted: every architecture within budget was asked for"
                )
                return None
            begun = time.monotonic()
            proposal = self._ask()
            self._asking += time.monotonic() - begun
            if self._write_down(proposal):
                return self._submission(proposal.number, proposal.candidate.form)
            if self._fruitless >= self._limits.fruitless_asks:
                asks = f"{self._fruitless} asks in a row gave no new candidate"
                self._give_up(f"{asks} of {self._problem.domain.name} within budget")
                return None
            meanwhile()
        return None

    def _ask(self) -> Proposal:
        try:
            return self._proposer.ask()
        except BudgetError:  # too many in a row were measured and are too slow; why they were rejected stays
            self.writer.write()
            raise

    def _is_out_of_time(self) -> bool:
        """Whether no training may begin any more, of new candidates or of those that would go on."""
        self._stop = self._limits.reached(
            trials=0, seconds=self._seconds, train_seconds=self._results.train_seconds, stagnant=0
        )
        return self._stop is not None

    def _going_on(self, *, whole_front: bool = False) -> Submission | None:
        """A candidate whose next rung is to be trained; what is known of it already is taken from the ledger."""
        while (promotion := self._halving.promote(whole_front=whole_front)) is not None:
            record = self._trials[promotion.number]
            known = self._find(record.architecture_id, promotion.rung)
            if known is None:
                self._under_way.climb(record)
                return self._submission(promotion.number)
            self._finish([_Result(record, known, is_fresh=False)])
        return None

    def _find(self, architecture_id: str, rung: int) -> Evaluation | None:
        """What the ledger knows of a candidate at a rung, whichever study trained it."""
        proxy = self._problem.proxy
        return self._known_trainings.find(proxy.key(architecture_id, rung), proxy.trained_by)

    def _has_enough(self) -> bool:
        self._stop = self._limits.reached(
            trials=len(self._results.known) + self._under_way.new,
            seconds=self._seconds,
            train_seconds=self._results.train_seconds,
            stagnant=self._results.stagnant,
        )
        return self._stop is not None

    def _write_down(self, proposal: Proposal) -> bool:
        """Note a proposal, with its end where that is known already; whether it is to be trained now."""
        candidate = proposal.candidate
        record = TrialRecord(
            number=proposal.number,
            architecture_id=candidate.id,
            choices=candidate.choices,
            cost=candidate.cost,
            overrun=candidate.overrun,
            state=TrialState.QUEUED,
            sampler={**proposal.notes, **_remarks(candidate)},
        )
        self._trials.put(record)
        self._note(record)
        self._fruitless += 1
        known = self._results.known.get(candidate.id)
        if not candidate.is_feasible or known is not None:  # nothing is lost if these are written later
            self.writer.add(self._settle(_ended_at_once(record, known)), candidate.form)
            return False
        self.writer.add(record, candidate.form)
        if candidate.id in self._under_way:
            self._under_way.enter(record)
            return False
        self._fruitless = 0
        evaluation = self._find(candidate.id, 0)
        if evaluation is not None:
            self._finish([_Result(record, evaluation, is_fresh=False)])
            return False
        return self._under_way.enter(record)

    def _submission(self, number: int, form: Plain = None) -> Submission:
        """The training that a trial is up to; its architecture is read from the ledger where it is not at hand."""
        record, proxy = self._trials[number], self._problem.proxy
        identity, rung = record.architecture_id, next_rung(record)
        job = proxy.job(
            "",
            identity,
            self._ledger.architecture(identity) if form is None else form,
            rung,
            weights=self._weights.path(identity) if self._weights and rung == proxy.last else None,
        )
        return Submission(number=number, attempts=record.attempts, job=job)

    def _is_exhausted(self) -> bool:
        """Whether nothing new is left within budget; looked at after some fruitless asks, as far as can be counted."""
        if not self._exhausted and self._fruitless in _LOOKS and self._gauge is None:
            self._exhausted = self._proposer.is_exhausted(
                lambda identity: identity in self._results.known or identity in self._under_way
            )
        return self._exhausted

    def _give_up(self, why: str) -> None:
        """Say why nothing new is found, unless enough is under way to end well."""
        if self._under_way:
            return
        self.writer.write()
        self._problem.domain.require_reachable()
        wanted = "" if self._limits.trials is None else f" of {self._limits.trials}"
        raise BudgetError(
            f"{why}; {len(self._results.known)}{wanted} were found and are in the ledger. Widen the budget or the "
            "space, or ask for fewer trials"
        )

    # --- from training to telling

    def take(self, ended: Sequence[Ended]) -> None:
        """Keep what was trained, for its trial and for those that waited for the same candidate."""
        results: list[_Result] = []
        for submission, evaluation in ended:
            record = replace(self._trials[submission.number], attempts=submission.attempts)
            waited = [self._trials[other] for other in self._under_way.leave(record)]
            results.append(_Result(record, evaluation, is_fresh=True))
            results += [_Result(other, evaluation, is_fresh=False) for other in waited]
        self._finish(results)

    def _finish(self, results: Sequence[_Result]) -> None:
        """Close trials, for good or until they go on: ledger first, then the sampler."""
        endings = self._endings(results)
        for result, ending, kept in zip(results, endings, self.writer.finish(endings), strict=True):
            self._close(result, ending.state, kept)

    def _endings(self, results: Sequence[_Result]) -> list[Ending]:
        endings: list[Ending] = []
        known = set[str]()  # by an earlier one of the results
        for record, evaluation, is_fresh in results:
            is_another = record.evaluation is None and (
                record.architecture_id in known or record.architecture_id in self._results.known
            )
            state = self._state(evaluation, is_fresh=is_fresh, is_another=is_another)
            endings.append(Ending(number=record.number, evaluation=evaluation, state=state))
            known.add(record.architecture_id)
        return endings

    def _state(self, evaluation: Evaluation, *, is_fresh: bool, is_another: bool) -> TrialState:
        if not evaluation.succeeded:
            return TrialState.FAILED
        if evaluation.key.rung < self._problem.proxy.last and not is_another:
            return TrialState.STOPPED
        return TrialState.DONE if is_fresh else TrialState.REUSED

    def _close(self, result: _Result, state: TrialState, evaluation: Evaluation) -> None:
        """Take in that a trial has ended in some state, the ledger having kept its evaluation."""
        record = result.record
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
        """Let Optuna's tables and the logs know what has become of a trial, rung by rung."""
        if self._mirror is not None:
            self._mirror.note(record)
        for log in self._logs:
            log.add(record)

    def _stand(self, record: TrialRecord) -> None:
        """Put a candidate on its rung; another trial of the same candidate has no place of its own."""
        evaluation = record.evaluation
        is_another = record.state is TrialState.REUSED and evaluation is not None and evaluation.key.rung == 0
        if evaluation is None or (is_another and self._problem.proxy.last):
            return
        if evaluation.accuracy is None:
            return
        key = evaluation.key
        self._health.note(Trained(record.architecture_id, key.seed, key.rung, evaluation.accuracy))
        point = self._problem.objectives.point(evaluation.accuracy, record.cost)
        self._halving.arrive(record.number, evaluation.key.rung, point)

    def _drop_weights(self, beaten: Collection[str]) -> None:
        """Remove the weights of candidates that are not on the front any more."""
        if self._weights is None:
            return
        for identity in self._weights.remove(beaten):
            self._ledger.set_weights(self._problem.proxy.key(identity, self._problem.proxy.last), None)


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


def _remarks(candidate: Candidate) -> dict[str, Plain]:
    """What is worth keeping of why a candidate is over budget."""
    told: dict[str, Plain] = {}
    if candidate.refusals:
        told["refused"] = dict(candidate.refusals)
    if candidate.foretold:
        told["foretold"] = {metric: list(ends) for metric, ends in candidate.foretold.items()}
    return told


def _ended_at_once(record: TrialRecord, known: Evaluation | None) -> TrialRecord:
    """A trial that needs no training: over budget, or of a candidate that was evaluated in this study before."""
    if known is None:
        return replace(record, state=TrialState.REJECTED)
    return replace(record, state=TrialState.REUSED if known.succeeded else TrialState.FAILED, evaluation=known)


def _accuracy(record: TrialRecord | None) -> float:
    if record is None or record.evaluation is None or record.evaluation.accuracy is None:
        return math.nan
    return record.evaluation.accuracy
