"""Given trainings that belong together: what they are, and their trials in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count

from nas.architecture import Architecture, estimate
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import EvaluationKey, Failure, Job, Plain, StudyKind, StudyRecord, TrialRecord, TrialState
from nas.task import Task
from nas.train.checkpoint import checkpoint_name
from nas.train.recipe import Recipe


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
class Sweep:
    """Trainings that belong together.

    Attributes:
        study: name in the ledger.
        kind: of that study.
        task: what costs are for.
        data: reference of the data set.
        fingerprint: of the data set.
        trainings: in the order they are wanted; a higher rung of a training waits for the lower ones.
        checkpoints: folder or URL where trainings are put aside between rungs; None for none.
        test: whether trained networks are judged on the test split, too.
    """

    study: str
    kind: StudyKind
    task: Task
    data: str
    fingerprint: str
    trainings: tuple[Training, ...]
    checkpoints: str | None = None
    test: bool = False

    @property
    def width(self) -> int:
        """How many trainings can be under way at the same time: the rungs of one wait for each other."""
        return len({(one.architecture.id, one.recipe.id, one.seed) for one in self.trainings})

    @property
    def recipes(self) -> Collection[Recipe]:
        """The different recipes among them."""
        return {training.recipe.id: training.recipe for training in self.trainings}.values()

    def key(self, training: Training, rung: int | None = None) -> EvaluationKey:
        """What the ledger knows the result by, at the training's rung or another one."""
        return EvaluationKey(
            architecture_id=training.architecture.id,
            recipe=training.recipe.id,
            fingerprint=self.fingerprint,
            seed=training.seed,
            rung=training.rung if rung is None else rung,
        )

    def job(self, training: Training, rung: int | None = None) -> Job:
        """What a worker is told; it has no id yet."""
        key = self.key(training, rung)
        return Job(
            id="",
            key=key,
            architecture=training.architecture.to_dict(),
            recipe=training.recipe.to_dict(),
            data=self.data,
            checkpoint=None if self.checkpoints is None else f"{self.checkpoints}/{checkpoint_name(key)}",
            test=self.test,
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
    if "fingerprint" in differs:
        raise StudyError(
            f"study {name!r} was begun with other images: they, their labels or their split have changed since, or "
            f"{definition['data']} is another data set; restore what there was ({stored.get('data')}), give this study "
            "another name, or take another --storage"
        )
    if differs and differs != ["data"]:  # the very same images may be at another place by now
        raise StudyError(
            f"study {name!r} was begun with other {', '.join(differs)}; "
            "give this one another name, or take another --storage"
        )


def number_trainings(sweep: Sweep, ledger: Ledger) -> dict[int, Training]:
    """Make sure that every training is a trial; the trainings by its number, in the order they are wanted.

    Those that failed are to be done again, except for those that diverged, which would diverge again.
    """
    stored = {_sorted(trial.choices): trial for trial in ledger.trials(sweep.study)}
    fresh = count(len(stored))  # trials are numbered without gaps
    numbered: dict[int, Training] = {}
    wanted: list[TrialRecord] = []
    for training in sweep.trainings:
        trial = stored.get(_sorted(training.label))
        number = next(fresh) if trial is None else trial.number
        numbered[number] = training
        if trial is None or (trial.state is TrialState.FAILED and not _diverged(trial)):
            wanted.append(_record(number, training, sweep.task))
    forms = {one.architecture.id: one.architecture.to_dict() for one in numbered.values()}
    ledger.write_trials(sweep.study, wanted, architectures=forms)
    return numbered


def _record(number: int, training: Training, task: Task) -> TrialRecord:
    return TrialRecord(
        number=number,
        architecture_id=training.architecture.id,
        choices=training.label,
        cost=asdict(estimate(training.architecture, task)),
        overrun={},
        state=TrialState.QUEUED,
    )


def _diverged(trial: TrialRecord) -> bool:
    return trial.evaluation is not None and trial.evaluation.failure is Failure.DIVERGED


def _sorted(label: Mapping[str, Plain]) -> tuple[tuple[str, Plain], ...]:
    return tuple(sorted(label.items()))
