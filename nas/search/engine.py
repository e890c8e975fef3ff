"""The search loop: ask, price, train, tell, with every step written down before it matters.

A candidate's row is in the ledger before it is submitted and its evaluation is there before the sampler is told. So a
search that is killed at any moment loses at most the trainings under way: on the next start its rows are replayed,
finished ones are told and unfinished ones submitted again.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from nas.analysis.pareto import non_dominated
from nas.architecture import Architecture, estimate
from nas.errors import BudgetError, NasError
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.ledger.leases import Lease
from nas.records import Evaluation, EvaluationKey, Failure, Job, TrialRecord, TrialState
from nas.search.definition import StudyDefinition
from nas.search.mirror import Mirror
from nas.search.progress import Progress
from nas.search.proposer import Proposal, Proposer
from nas.search.weights import WeightsFolder
from nas.space.extremes import require_reachable

_POLL = 0.2  # seconds between looks at the workers, for the display
_RENEW = 5.0  # seconds between renewals of the lease
_MAX_ATTEMPTS = 3  # of a training whose worker was lost
_FIRST_FAILURES = 3  # this many defects before the first success stop the search
_BATCH = 50  # rejected asks written together

Watch = Callable[[Progress], None]


class SearchStopped(NasError):
    """The search cannot go on; what it has found so far is in the ledger."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a search ends.

    Attributes:
        trials: distinct candidates to have an evaluation of, those of earlier runs counted.
        fruitless_asks: asks in a row without a new candidate within budget, after which it gives up.
    """

    trials: int
    fruitless_asks: int = 2000


class Search:
    """One run of a study by the only driver it has, which is the only writer of the ledger."""

    def __init__(
        self,
        name: str,
        definition: StudyDefinition,
        *,
        ledger: Ledger,
        executor: Executor,
        limits: Limits,
        weights: WeightsFolder,
        mirror: Mirror | None = None,
        watch: Watch = lambda progress: None,
    ) -> None:
        """Prepare a run; nothing happens before `run`.

        Args:
            name: of the study, which is in the ledger already.
            definition: what it searches.
            ledger: where everything is kept.
            executor: who trains.
            limits: when it ends.
            weights: where trained weights go; those off the front are removed.
            mirror: Optuna's tables, or None to leave them alone.
            watch: called with the progress several times a second.
        """
        self._name = name
        self._definition = definition
        self._ledger = ledger
        self._executor = executor
        self._limits = limits
        self._weights = weights
        self._mirror = mirror
        self._watch = watch
        self._proposer = Proposer(definition)
        self._records: list[TrialRecord] = []
        self._unwritten: list[TrialRecord] = []
        self._unknown: dict[str, Architecture] = {}  # of the unwritten trials
        self._queue: deque[int] = deque()  # trials that are written but not submitted
        self._running: dict[str, int] = {}  # job id -> trial
        self._waiting: dict[str, list[int]] = {}  # architecture under way -> further trials that asked for it
        self._known: dict[str, Evaluation] = {}  # architecture -> its evaluation in this study
        self._counts: Counter[TrialState] = Counter()
        self._best: TrialRecord | None = None
        self._losses: Counter[int] = Counter()  # workers lost by trial, in this run: a killed driver is no fault of it
        self._fruitless = self._finished_here = 0
        self._started = self._renewed = time.monotonic()

    def run(self, holder: str) -> Progress:
        """Search until the limits are reached, and say how it ended.

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
            while self._fill(lease) or self._running:
                self._collect()
                self._housekeeping(lease)
            self._write()
            self._copy_to_mirror()
        return self.progress()

    def progress(self) -> Progress:
        """How far the search is."""
        seconds = time.monotonic() - self._started
        fractions = self._executor.progress()
        running = tuple(fractions.get(job_id, 0.0) for job_id in self._running)
        left = self._limits.trials - len(self._known) - sum(running)
        pace = (self._finished_here + sum(running)) / seconds if seconds else 0.0
        failed = sum(not evaluation.succeeded for evaluation in self._known.values())
        best = self._best
        return Progress(
            target=self._limits.trials,
            trained=self._counts[TrialState.DONE],
            reused=len(self._known) - self._counts[TrialState.DONE] - failed,
            failed=failed,
            rejected=self._counts[TrialState.REJECTED],
            running=running,
            best_id=best.architecture if best else "",
            best_accuracy=_accuracy(best),
            best_share=self._definition.budget.share(best.cost) if best else math.nan,
            seconds=seconds,
            seconds_left=max(0.0, left) / pace if self._finished_here else math.nan,
            lost=self._losses.total(),
        )

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
        """Ask until a candidate needs training; None when there are enough."""
        while len(self._known) + len(self._running) < self._limits.trials:
            record = self._write_down(self._proposer.ask())
            if record.state is TrialState.QUEUED and record.architecture not in self._waiting:
                return record.number
            if self._fruitless >= self._limits.fruitless_asks:
                self._give_up()
                return None
            self._housekeeping(lease)
        return None

    def _write_down(self, proposal: Proposal) -> TrialRecord:
        """Price a proposal and write it to the ledger, with its end where that is known already."""
        architecture = proposal.architecture
        cost = estimate(architecture, self._definition.task)
        overrun = self._definition.budget.overrun(cost)
        record = TrialRecord(
            number=proposal.number,
            architecture=architecture.id,
            choices=proposal.choices,
            cost=asdict(cost),
            overrun=overrun,
            state=TrialState.QUEUED,
            sampler=self._proposer.notes(proposal.number),
        )
        self._records.append(record)
        self._unknown[architecture.id] = architecture
        self._fruitless += 1
        if any(excess > 0 for excess in overrun.values()):
            return self._settle(replace(record, state=TrialState.REJECTED))
        self._unwritten.append(record)
        if architecture.id in self._under_way():
            self._waiting.setdefault(architecture.id, []).append(record.number)
            return record
        evaluation = self._known.get(architecture.id)
        if evaluation is None:
            self._fruitless = 0
            evaluation = self._ledger.find(self._key(architecture.id))
        self._write()
        return record if evaluation is None else self._finish(record, evaluation, fresh=False)

    def _submit(self, number: int) -> None:
        record = self._records[number]
        attempts = self._ledger.record_submission(self._name, number)
        self._records[number] = replace(record, attempts=attempts)
        job = Job(
            id=f"{number}.{attempts}",
            key=self._key(record.architecture),
            architecture=self._ledger.architecture(record.architecture),
            recipe=self._definition.recipe.to_dict(),
            data=self._definition.data,
            weights=self._weights.path(record.architecture),
        )
        self._executor.submit(job)
        self._running[job.id] = number

    def _give_up(self) -> None:
        """Say why nothing new is found, unless enough is under way to end well."""
        if self._running:
            return
        self._write()
        require_reachable(self._definition.space, self._definition.budget, self._definition.task)
        raise BudgetError(
            f"{self._fruitless} asks in a row gave no new candidate within {self._definition.budget}; "
            f"{len(self._known)} of {self._limits.trials} were found and are in the ledger. Widen the budget or the "
            "space, or ask for fewer trials"
        )

    # --- from training to telling

    def _collect(self) -> None:
        for job_id, evaluation in ((one.job_id, one.evaluation) for one in self._executor.completed(_POLL)):
            number = self._running.pop(job_id)
            record = self._records[number]
            if evaluation.failure is Failure.NODE_LOST:
                self._losses[number] += 1
                if self._losses[number] < _MAX_ATTEMPTS:
                    self._queue.append(number)
                    continue
            self._finished_here += 1
            self._finish(record, evaluation, fresh=True)
            for waiting in self._waiting.pop(record.architecture, []):
                self._finish(self._records[waiting], self._known[record.architecture], fresh=False)
            self._keep_weights_of_front()
            self._stop_if_hopeless()

    def _finish(self, record: TrialRecord, evaluation: Evaluation, *, fresh: bool) -> TrialRecord:
        """Close a trial: ledger first, then the sampler."""
        self._write()  # a candidate that waits for another one's training is not in the ledger before
        done = TrialState.DONE if fresh else TrialState.REUSED
        state = done if evaluation.succeeded else TrialState.FAILED
        evaluation = self._ledger.finish(self._name, record.number, evaluation, state)
        return self._settle(replace(record, state=state, evaluation=evaluation))

    def _settle(self, record: TrialRecord) -> TrialRecord:
        """Take a trial's end into account and tell the sampler."""
        self._records[record.number] = record
        if record.state is TrialState.REJECTED:
            self._unwritten.append(record)
        self._count(record)
        self._proposer.tell(record)
        return record

    def _count(self, record: TrialRecord) -> None:
        self._counts[record.state] += 1
        if record.evaluation is None:
            return
        self._known[record.architecture] = record.evaluation
        if record.evaluation.succeeded and not _accuracy(record) <= _accuracy(self._best):
            self._best = record

    def _stop_if_hopeless(self) -> None:
        failures = [one for one in self._known.values() if one.failure in (Failure.BUG, Failure.DATA)]
        if len(failures) == len(self._known) >= min(_FIRST_FAILURES, self._limits.trials):
            last = failures[-1]
            raise SearchStopped(
                f"the first {len(failures)} trainings all failed ({last.failure}): {last.message}\n{last.traceback}"
            )

    def _keep_weights_of_front(self) -> None:
        best: dict[str, TrialRecord] = {}
        for record in self._records:
            if record.state is TrialState.DONE:
                best.setdefault(record.architecture, record)
        ids = list(best)
        points = [(_accuracy(best[one]), float(best[one].cost["flops"])) for one in ids]
        kept = {ids[index] for index in non_dominated(points, maximise=(True, False))}
        for identity in self._weights.prune(kept, known=set(ids)):
            self._ledger.set_weights(self._key(identity), None)

    # --- from run to run

    def _restore(self) -> None:
        """Replay the ledger: the sampler learns what it knew, unfinished trials are queued again."""
        for record in self._ledger.trials(self._name):
            self._proposer.restore(record)
            self._records.append(record)
            if record.state is TrialState.QUEUED:
                self._requeue(record)
            else:
                self._count(record)

    def _requeue(self, record: TrialRecord) -> None:
        if record.architecture in self._under_way():
            self._waiting.setdefault(record.architecture, []).append(record.number)
        else:
            self._queue.append(record.number)

    def _under_way(self) -> set[str]:
        return {self._records[number].architecture for number in (*self._queue, *self._running.values())}

    def _key(self, architecture: str) -> EvaluationKey:
        definition = self._definition
        return EvaluationKey(
            architecture=architecture,
            recipe=definition.recipe.id,
            data=definition.fingerprint,
            seed=definition.seed,
        )

    def _write(self) -> None:
        """Write the trials that are not in the ledger yet, together."""
        if self._unwritten:
            forms = {one: architecture.to_dict() for one, architecture in self._unknown.items()}
            self._ledger.write_trials(self._name, self._unwritten, architectures=forms)
            self._unwritten.clear()
            self._unknown.clear()

    def _housekeeping(self, lease: Lease) -> None:
        self._watch(self.progress())
        if len(self._unwritten) >= _BATCH:
            self._write()
        if time.monotonic() - self._renewed >= _RENEW:
            lease.renew()
            self._renewed = time.monotonic()
        if self._mirror is not None and self._mirror.is_due():
            self._mirror.copy(self._records)

    def _copy_to_mirror(self) -> None:
        if self._mirror is not None:
            self._mirror.copy(self._records)
            self._mirror.close()


def _accuracy(record: TrialRecord | None) -> float:
    if record is None or record.evaluation is None or record.evaluation.accuracy is None:
        return math.nan
    return record.evaluation.accuracy
