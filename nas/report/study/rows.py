"""What a report says of a study, as plain rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from nas.analysis.proxy_health import HealthRow
from nas.records import Plain
from nas.report.analysis import Analysis
from nas.train.curve import EpochRow

NO_BUDGET = "no budget"
"""The budget of a study without one, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """An architecture of a study with an accuracy.

    Attributes:
        id: of the architecture.
        number: of the trial that first asked for it.
        accuracy: top-1 on the validation split, in [0, 1], at the highest rung it has reached.
        rung, seeds, seconds: as in `nas pareto`.
        costs: by metric; a latency is `latency@PROFILE`, in milliseconds.
        decisions: the answers that make it, by decision of the space.
        is_control: whether it was drawn at random, whatever the sampler.
        is_front: whether it is on the front.
    """

    id: str
    number: int
    accuracy: float
    rung: int
    seeds: int
    seconds: float
    costs: Mapping[str, float]
    decisions: Mapping[str, Plain]
    is_control: bool
    is_front: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeStep:
    """The hypervolume after some work.

    Attributes:
        trainings: that had ended; a rung is one.
        epochs: of them together.
        seconds: of workers, for them together.
        share: of the hypervolume of everything that the studies of the report have found together.
    """

    trainings: int
    epochs: int
    seconds: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeCurve:
    """How a front grew; a step wherever it did, the first and last moment included.

    Attributes:
        name: `search`; or, where some candidates were drawn at random, theirs and the others', each against the work
            that went into them.
        candidates: with a point.
        steps: in order.
    """

    name: str
    candidates: int
    steps: tuple[VolumeStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """What a training went through.

    Attributes:
        id: of the architecture.
        is_front: whether it is on the front.
        losses: mean training loss of every epoch.
        rungs: epochs done and validation accuracy at every rung that it reached.
    """

    id: str
    is_front: bool
    losses: tuple[float, ...]
    rungs: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTraining:
    """A candidate that was trained in full, outside the study.

    Attributes:
        id: of the architecture.
        name: of the folder that it was written to.
        epochs: how it stood at the end of each.
    """

    id: str
    name: str
    epochs: tuple[EpochRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """Trainings that failed alike.

    Attributes:
        failure: why, in a word.
        message: what was said.
        count: how many.
        seconds: that they took together.
        example: id of an architecture.
        traceback: of that one; empty where there is none.
    """

    failure: str
    message: str
    count: int
    seconds: float
    example: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentRow:
    """What a search took.

    Attributes:
        trainings: that were paid for, failed ones included; a rung is one.
        reused: candidates whose accuracy the ledger had already.
        rejected: candidates over budget, which were never trained.
        failed: trainings without an accuracy, repeated ones included.
        epochs, images: of all trainings together.
        seconds: of workers, building and validation included.
        train_seconds: of training steps alone.
        failed_seconds: of `seconds`, those that gave no accuracy.
        control_seconds: of `seconds`, those of the random control.
        phases: seconds by what they went into.
        energy: joules, where devices tell.
        peak_memory: the most bytes that a training took.
        workers: trainings by the host they ran on.
    """

    trainings: int
    reused: int
    rejected: int
    failed: int
    epochs: int
    images: int
    seconds: float
    train_seconds: float
    failed_seconds: float
    control_seconds: float
    phases: Mapping[str, float]
    energy: float | None
    peak_memory: int
    workers: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRow:
    """What it takes to run a study again.

    Attributes:
        command: to give where the files are.
        files: text by name: the study file and its space.
        facts: data fingerprint, versions and the like, by what they are.
        missing: what the files cannot say; empty where they say everything.
    """

    command: str
    files: Mapping[str, str]
    facts: Mapping[str, str]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRows:
    """Everything that a report says of a study.

    Attributes:
        name, kind: of the study.
        created, active: when it began and when a trial was last written, ISO 8601, UTC.
        definition: all that decides its candidates and their accuracies.
        budget: in words.
        costs: the metrics that accuracy is traded against.
        rung_epochs: epochs done at the end of each rung.
        counts: trials by state.
        findings: what was found, a sentence each.
        candidates: by FLOPs.
        volume: how the front grew.
        curves: what trainings went through, those of the front and others evenly chosen.
        full: trainings of its candidates by `nas train`, as far as folders of them were given.
        analysis: what each decision is worth; None for a study that drew no candidates, or has none with an accuracy.
        failures: the most frequent ones first.
        health: what the accuracies tell of the proxy.
        spent: what it took.
        repeat: how to run it again.
    """

    name: str
    kind: str
    created: str
    active: str
    definition: Mapping[str, Plain]
    budget: str
    costs: tuple[str, ...]
    rung_epochs: tuple[int, ...]
    counts: Mapping[str, int]
    findings: tuple[str, ...]
    candidates: tuple[CandidateRow, ...]
    volume: tuple[VolumeCurve, ...]
    curves: tuple[LearningCurve, ...]
    full: tuple[FullTraining, ...]
    analysis: Analysis | None
    failures: tuple[FailureRow, ...]
    health: tuple[HealthRow, ...]
    spent: SpentRow
    repeat: RepeatRow

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the analysis as `nas analyze --json` has it."""
        analysis = None if self.analysis is None else self.analysis.to_dict()
        return {**asdict(replace(self, analysis=None)), "analysis": analysis}

    @property
    def front(self) -> list[CandidateRow]:
        """The candidates that are on the front, by FLOPs."""
        return [one for one in self.candidates if one.is_front]

    @property
    def top(self) -> list[CandidateRow]:
        """The candidates of the highest rung that any has reached; only their accuracies are compared."""
        rung = max((one.rung for one in self.candidates), default=0)
        return [one for one in self.candidates if one.rung == rung]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRows:
    """The studies of a report, and what has to be said of them together.

    Attributes:
        studies: in the order asked for.
        notes: why their accuracies are not to be compared, where that is so.
    """

    studies: tuple[StudyRows, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"studies": [study.to_dict() for study in self.studies], "notes": list(self.notes)}
