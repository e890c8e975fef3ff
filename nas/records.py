"""The small frozen values that cross a process border and are kept in the ledger.

A `Job` goes out to a worker, an `Evaluation` comes back. Both hold plain data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

Plain = Any  # JSON value: None, bool, int, float, str, list or dict of these

TOLD = "told-"
"""The recipe of an evaluation that was told from outside begins so; that of a training is a hash."""

OWN = "own-"
"""The recipe of an evaluation by somebody's own training function begins so."""


CONTROL = "control"
"""The note of a trial that was drawn at random, whatever the sampler, so that there is something to compare with."""


class Failure(StrEnum):
    """Why an evaluation has no accuracy. Only `NODE_LOST` is ever retried by itself."""

    OUT_OF_MEMORY = "out_of_memory"
    DIVERGED = "diverged"
    DATA = "data"
    NODE_LOST = "node_lost"
    BUG = "bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationKey:
    """What makes two trainings the same training: nothing else may influence the accuracy.

    Attributes:
        architecture_id: of the architecture.
        recipe: id of the recipe (hash of its canonical form).
        fingerprint: of the data set and its split; empty for a training that brings its own.
        seed: seed of initialisation, order and augmentation.
        rung: fidelity, 0 being the cheapest; the recipe says what it means.
    """

    architecture_id: str
    recipe: str
    fingerprint: str
    seed: int
    rung: int = 0

    @property
    def is_told(self) -> bool:
        """Whether the accuracy is somebody's word, and no training of ours can be repeated for it."""
        return self.recipe.startswith(TOLD)

    def to_dict(self) -> dict[str, Plain]:
        """Plain data, under the names that ledgers, checkpoints and exported folders have always used."""
        return {
            "architecture": self.architecture_id,
            "recipe": self.recipe,
            "data": self.fingerprint,
            "seed": self.seed,
            "rung": self.rung,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Plain]) -> Self:
        """Inverse of `to_dict`; without a rung, of the cheapest."""
        named = {"architecture_id": data["architecture"], "fingerprint": data["data"]}
        return cls(**named, recipe=data["recipe"], seed=data["seed"], rung=data.get("rung", 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training to be done by a worker.

    Attributes:
        id: unique among the jobs under way.
        key: identity of the training; the evaluation that comes back carries it.
        architecture: canonical dict of the architecture.
        recipe: canonical dict of the recipe; for a training of somebody's own what is asked of it.
        data: reference of the data set (`digits`, `folder:PATH`); empty where the training brings its own.
        weights: file to write the trained weights to, or None to drop them.
        checkpoint: path or URL of the training's checkpoint, or None; for a training of somebody's own a folder. The
            training goes on from it if it is there and is left there for its next rung; the result is the same to the
            bit as from the start.
        test: whether the trained network is judged on the test split, too; for networks that nobody chooses by it.
    """

    id: str
    key: EvaluationKey
    architecture: Mapping[str, Plain]
    recipe: Mapping[str, Plain]
    data: str
    weights: str | None = None
    checkpoint: str | None = None
    test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result of one training at one rung: an accuracy, or the reason why there is none.

    Attributes:
        key: which training this is.
        accuracy: top-1 on the validation split, in [0, 1]; None when it failed.
        loss: mean cross-entropy on the validation split.
        test_accuracy: the same as the accuracy on the test split; None where nobody asked for it.
        curve: training loss of every epoch, those of earlier rungs included.
        images: training images seen, with repetition, those of earlier rungs included.
        seconds: wall time of the whole job, building and validation included.
        train_seconds: wall time of the job's training steps alone; a job that went on from a checkpoint did not pay
            for the steps before it.
        peak_memory: bytes, of the process on CPU or of the device elsewhere.
        images_per_second: training images by the job's training steps in a second.
        phases: seconds of the job by what they went into (`data`, `build`, `restore`, `train`, `validate`, `save`).
        energy: joules that the device counted during the job, whoever else was on it; None where it does not tell.
        micro_batch: images per forward pass where the batch did not fit into memory; None for the whole batch.
        worker: where it ran, `host:pid`.
        weights: file that holds the trained weights, if they were kept.
        failure, message, traceback: set when it failed.
    """

    key: EvaluationKey
    accuracy: float | None = None
    loss: float | None = None
    test_accuracy: float | None = None
    curve: tuple[float, ...] = ()
    images: int = 0
    seconds: float = 0.0
    train_seconds: float = 0.0
    peak_memory: int = 0
    images_per_second: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    energy: float | None = None
    micro_batch: int | None = None
    worker: str = ""
    weights: str | None = None
    failure: Failure | None = None
    message: str = ""
    traceback: str = field(default="", repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether there is an accuracy to learn from."""
        return self.failure is None

    def to_dict(self) -> dict[str, Plain]:
        """A JSON-ready dict; inverse of `from_dict`."""
        written = {"key": self.key.to_dict(), "curve": list(self.curve), "phases": dict(self.phases)}
        return {**asdict(self), **written}

    @classmethod
    def from_dict(cls, data: Mapping[str, Plain]) -> Self:
        """Read what `to_dict` wrote."""
        failure = data.get("failure")
        return cls(
            **{
                **data,
                "key": EvaluationKey.from_dict(data["key"]),
                "curve": tuple(data.get("curve", ())),
                "failure": None if failure is None else Failure(failure),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyKey:
    """What makes two latencies comparable: nothing of it may differ.

    Attributes:
        profile: id of the profile (hash of its canonical form).
        resolution, channels, classes: of the task.
        device: what computed, such as the processor's name.
        runtime: and its version.
    """

    profile: str
    resolution: int
    channels: int
    classes: int
    device: str
    runtime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRecord:
    """A measured latency with its protocol and its error; or why there is none.

    Attributes:
        architecture_id: of the architecture.
        key: what it may be compared with.
        profile_name: what the profile was called where this was measured.
        protocol: the profile in its canonical form.
        ms: median of all runs, milliseconds for one batch; None for a failure.
        low, high: 95 % interval of the median.
        p90: upper bound of the 90th percentile, which holds with the probability `p90_confidence`.
        runs: that counted.
        spread: interquartile range over median.
        drift: relative change of the reference network's median during the measurement.
        reference_ms: median of the reference network, measured in the same rounds; None where there was none.
        unstable: why the record is not to be trusted; empty for a stable one.
        peak_memory: the most bytes that the network took while it warmed up, as far as the runtime tells.
        load: processes that wanted to run, over the cores of the machine, when this was measured.
        measured: ISO 8601, UTC.
        failure: why the runtime could not take the network; empty for a latency.
    """

    architecture_id: str
    key: LatencyKey
    profile_name: str
    protocol: Mapping[str, Plain]
    measured: str
    ms: float | None = None
    low: float | None = None
    high: float | None = None
    p90: float | None = None
    p90_confidence: float | None = None
    runs: int = 0
    spread: float | None = None
    drift: float | None = None
    reference_ms: float | None = None
    unstable: tuple[str, ...] = ()
    peak_memory: int | None = None
    load: float | None = None
    failure: str = ""

    @property
    def is_stable(self) -> bool:
        """Whether it is a latency that nothing speaks against."""
        return not self.failure and not self.unstable

    def to_dict(self) -> dict[str, Plain]:
        """A JSON-ready dict; inverse of `from_dict`."""
        fields = asdict(self)
        return {"architecture": fields.pop("architecture_id"), **fields, "unstable": list(self.unstable)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Plain]) -> Self:
        """Read what `to_dict` wrote."""
        fields = {name: value for name, value in data.items() if name != "architecture"}
        parts = {"key": LatencyKey(**data["key"]), "unstable": tuple(data["unstable"])}
        return cls(**{**fields, **parts, "architecture_id": data["architecture"]})


class TrialState(StrEnum):
    """Where one candidate of a study stands."""

    REJECTED = "rejected"  # over budget: known from its cost, never trained
    QUEUED = "queued"  # written before submit; unfinished until it leaves this state
    STOPPED = "stopped"  # trained to a rung below the last; it may still go on
    DONE = "done"  # trained by this study, to the last rung
    REUSED = "reused"  # known from the ledger, not trained again
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One candidate of a study, as the ledger keeps it. Everything needed to replay the ask is here.

    Attributes:
        number: position in the study, from 0, without gaps.
        architecture_id: of the architecture.
        choices: what each `ask(name, dimension)` answered.
        cost: what it costs, by metric; for a network the integers of `Cost`, by field name.
        overrun: relative excess over each bound of the budget, by bound; feasible means every value is <= 0.
        state: see `TrialState`.
        sampler: the sampler's private state of this trial (JSON), opaque to everybody else.
        evaluation: at the highest rung so far; set once it is STOPPED, DONE, REUSED or FAILED. A candidate that FAILED
            on its way up has the success of the rung it came from.
        attempts: how often it was submitted.
    """

    number: int
    architecture_id: str
    choices: Mapping[str, Plain]
    cost: Mapping[str, Plain]
    overrun: Mapping[str, float]
    state: TrialState
    sampler: Mapping[str, Plain] = field(default_factory=dict)
    evaluation: Evaluation | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What becomes of a trial by an evaluation.

    Attributes:
        number: of the trial.
        evaluation: of its architecture.
        state: DONE, STOPPED or REUSED for a success; FAILED for a failure, or QUEUED if it will be tried again.
    """

    number: int
    evaluation: Evaluation
    state: TrialState


class StudyKind(StrEnum):
    """What a study does; its value is the command that begins it and goes on with it."""

    SEARCH = "search"  # candidates of a space, for a front
    COMPARE = "compare"  # given architectures, for a table
    TRUST = "trust"  # drawn architectures, for how far a proxy's ranking holds
    REFINE = "refine"  # recipes, for the best architectures of a search

    @property
    def purpose(self) -> str:
        """What such a study does, after its name."""
        return _PURPOSES[self]


_PURPOSES = {
    StudyKind.SEARCH: "searches a space",
    StudyKind.COMPARE: "compares given architectures",
    StudyKind.TRUST: "judges a proxy",
    StudyKind.REFINE: "tunes recipes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study's name, its kind, its definition and when it began.

    Attributes:
        name: unique in the ledger.
        kind: what it does, and so what its definition holds.
        definition: everything a run needs (space, budgets, data, recipe, sampler, seed, task), as plain data.
        created: ISO 8601, UTC.
    """

    name: str
    kind: StudyKind
    definition: Mapping[str, Plain]
    created: str
