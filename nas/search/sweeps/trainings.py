"""Given trainings, done through ledger and executor: each one once, however often the driver is interrupted.

Each training is a trial of a study in the ledger, so what was interrupted goes on where it stopped, and trainings that
any study has done before are not done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import count

from nas.architecture import Architecture, estimate
from nas.errors import StudyError
from nas.executors.base import Executor
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, Failure, Job, Plain, StudyKind, StudyRecord, TrialRecord, TrialState
from nas.task import Task
from nas.train.checkpoint import checkpoint_name
from nas.train.recipe import Recipe

_POLL = 0.5
_MAX_LOSSES = 3  # workers lost over one training

Watch = Callable[[int, int, float], None]
"""Called with trainings done, trainings in all, and the fraction done of those under way."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training to one rung.

    Attributes:
        label: what the study's trial is known by; unlike any other training's of the study.
        architecture: what is trained.
        recipe: how.
        seed: of the training.
        rung: where it stops.
    """

    label: Mapping[str, Plain]
    architecture: Architecture
    recipe: Recipe
    seed: int
    rung: int = 0


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Trainings that belong together.

    Attributes:
        study: name in the ledger.
        kind: of that study.
        task: what costs are for.
        data: reference of the data set.
        fingerprint: of the data set.
        trainings: in the order they are wanted; a higher rung of a training waits for the lower ones.
        checkpoints: folder or URL where trainings are put aside between rungs; None for none.
    """

    study: str
    kind: StudyKind
    task: Task
    data: str
    fingerprint: str
    trainings: tuple[Training, ...]
    checkpoints: str | None = None

    @property
    def width(self) -> int:
        """How many trainings can be under way at the same time: the rungs of one wait for each other."""
        return len({(one.architecture.id, one.recipe.id, one.seed) for one in self.trainings})

    def key(self, training: Training) -> EvaluationKey:
        """What the ledger knows the result by."""
        return EvaluationKey(
            architecture=training.architecture.id,
            recipe=training.recipe.id,
            data=self.fingerprint,
            seed=training.seed,
            rung=training.rung,
        )

    def job(self, training: Training, identity: str) -> Job:
        """What a worker is told."""
        key = self.key(training)
        return Job(
            id=identity,
            key=key,
            architecture=training.architecture.to_dict(),
            recipe=training.recipe.to_dict(),
            data=self.data,
            checkpoint=None if self.checkpoints is None else f"{self.checkpoints}/{checkpoint_name(key)}",
        )


def open_study(ledger: Ledger, name: str, kind: StudyKind, definition: Mapping[str, Plain]) -> None:
    """Begin a study, or make sure that the one of this name is the same.

    Raises:
        StudyError: it is of another kind, or was begun with another definition.
    """
    if name in {study.name for study in ledger.studies()}:
        require_same(name, definition, ledger.study(name, kind).definition)
        return
    created = datetime.now(UTC).isoformat(timespec="seconds")
    ledger.create_study(StudyRecord(name=name, kind=kind, definition=definition, created=created))


def require_same(name: str, definition: Mapping[str, Plain], stored: Mapping[str, Plain]) -> None:
    """Refuse to mix two definitions under one name; raises StudyError."""
    differs = [word for word in definition if stored.get(word) != definition[word]]
    if differs:
        raise StudyError(
            f"study {name!r} was begun with other {', '.join(differs)}; "
            "give this one another name, or take another --storage"
        )


def run_trainings(campaign: Campaign, ledger: Ledger, executor: Executor, *, holder: str, watch: Watch) -> None:
    """Do what is not done yet.

    A training whose lower rung failed fails with it. Failed ones are tried again by the next call, except those that
    diverged, which would diverge again.

    Args:
        campaign: what to train; its study is in the ledger already.
        ledger: where everything is kept.
        executor: who trains.
        holder: `host:pid` of this driver.
        watch: told how far it is, several times a second.

    Raises:
        StudyError: another driver has the study.
    """
    with ledger.lease(campaign.study, holder=holder) as lease:
        run = _Run(campaign, ledger, executor)
        while not run.is_over:
            run.submit()
            run.collect()
            watch(run.done, len(campaign.trainings), run.under_way)
            lease.renew()


class _Run:
    """What is waiting and what is under way; trainings go by the number of their trial."""

    def __init__(self, campaign: Campaign, ledger: Ledger, executor: Executor) -> None:
        self._campaign, self._ledger, self._executor = campaign, ledger, executor
        self._trainings = number_trainings(campaign, ledger)
        self._keys = {number: campaign.key(training) for number, training in self._trainings.items()}
        queued = {trial.number for trial in ledger.trials(campaign.study, {TrialState.QUEUED})}
        self._waiting = [number for number in self._trainings if number in queued]
        self._running: dict[str, int] = {}
        self._failed: dict[EvaluationKey, Evaluation] = {}  # by the key of rung 0
        self._losses: Counter[int] = Counter()

    @property
    def done(self) -> int:
        """Trainings that are over."""
        return len(self._trainings) - len(self._waiting) - len(self._running)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.done == len(self._trainings)

    @property
    def under_way(self) -> float:
        """How many trainings' worth of work the running ones have done."""
        return sum(self._executor.progress().values())

    def submit(self) -> None:
        """Give every free worker something to do, if anything is ready."""
        for number in list(self._waiting):
            if not self._executor.capacity:
                return
            if self._is_blocked(number):
                continue
            self._waiting.remove(number)
            known = self._known(self._keys[number])
            if known is not None:
                self._finish(number, known, TrialState.REUSED if known.succeeded else TrialState.FAILED)
                continue
            attempt = self._ledger.record_submission(self._campaign.study, number)
            job = self._campaign.job(self._trainings[number], f"{number}.{attempt}")
            self._executor.submit(job)
            self._running[job.id] = number

    def collect(self) -> None:
        """Keep what has ended."""
        for finished in self._executor.completed(_POLL):
            number, evaluation = self._running.pop(finished.job_id), finished.evaluation
            self._losses[number] += evaluation.failure is Failure.NODE_LOST
            if evaluation.failure is Failure.NODE_LOST and self._losses[number] < _MAX_LOSSES:
                self._waiting.append(number)
                continue
            self._finish(number, evaluation, TrialState.DONE if evaluation.succeeded else TrialState.FAILED)

    def _finish(self, number: int, evaluation: Evaluation, state: TrialState) -> None:
        self._ledger.finish(self._campaign.study, number, evaluation, state)
        if not evaluation.succeeded:
            self._failed.setdefault(replace(evaluation.key, rung=0), evaluation)

    def _known(self, key: EvaluationKey) -> Evaluation | None:
        """The evaluation that needs no training: it was done before, or its rung cannot be reached."""
        before = self._failed.get(replace(key, rung=0))
        if before is None or before.key.rung >= key.rung:
            return self._ledger.find(key)
        said = f"rung {before.key.rung} of this training failed: {before.message}"
        return Evaluation(key=key, failure=before.failure, message=said)

    def _is_blocked(self, number: int) -> bool:
        """Whether a lower rung of the same training is still to come."""
        key = self._keys[number]
        pending = {self._keys[other] for other in (*self._waiting, *self._running.values())} if key.rung else set()
        return any(replace(key, rung=rung) in pending for rung in range(key.rung))


def number_trainings(campaign: Campaign, ledger: Ledger) -> dict[int, Training]:
    """Make sure that every training is a trial; the trainings by its number, in the order they are wanted."""
    stored = {_sorted(trial.choices): trial for trial in ledger.trials(campaign.study)}
    fresh = count(len(stored))  # trials are numbered without gaps
    numbered: dict[int, Training] = {}
    wanted: list[TrialRecord] = []
    for training in campaign.trainings:
        trial = stored.get(_sorted(training.label))
        number = next(fresh) if trial is None else trial.number
        numbered[number] = training
        if trial is None or (trial.state is TrialState.FAILED and not _diverged(trial)):
            wanted.append(_record(number, training, campaign.task))
    forms = {one.architecture.id: one.architecture.to_dict() for one in numbered.values()}
    ledger.write_trials(campaign.study, wanted, architectures=forms)
    return numbered


def _record(number: int, training: Training, task: Task) -> TrialRecord:
    return TrialRecord(
        number=number,
        architecture=training.architecture.id,
        choices=training.label,
        cost=asdict(estimate(training.architecture, task)),
        overrun={},
        state=TrialState.QUEUED,
    )


def _diverged(trial: TrialRecord) -> bool:
    return trial.evaluation is not None and trial.evaluation.failure is Failure.DIVERGED


def _sorted(label: Mapping[str, Plain]) -> tuple[tuple[str, Plain], ...]:
    return tuple(sorted(label.items()))
