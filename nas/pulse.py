"""What a driver says of a study every few seconds, and everybody else knows of it: its pulse.

Plain data, kept in the ledger and served as metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from nas.records import Failure, Plain, TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """A worker that is ready for jobs, and the one it is doing.

    Attributes:
        name: where it runs, `host:pid`.
        job: id of its job; empty while it is idle.
        architecture_id, rung: of that job's training.
        seconds: since it got the job.
        fraction: of the job that is done, in [0, 1].
        silent: seconds since its work last said how far it is.
    """

    name: str
    job: str = ""
    architecture_id: str = ""
    rung: int = 0
    seconds: float = 0.0
    fraction: float = 0.0
    silent: float = 0.0

    def to_dict(self) -> dict[str, Plain]:
        """A JSON-ready dict; inverse of `from_dict`."""
        return {name.removesuffix("_id"): value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Plain]) -> Self:
        """Read what `to_dict` wrote."""
        fields = {name: value for name, value in data.items() if name != "architecture"}
        return cls(**fields, architecture_id=data["architecture"])

    @property
    def node(self) -> str:
        """The host it runs on."""
        return node_of(self.name)

    @property
    def is_busy(self) -> bool:
        """Whether it does a job."""
        return bool(self.job)


def node_of(worker: str) -> str:
    """The host of a worker's name.

    >>> node_of("gpu-07:4711")
    'gpu-07'
    """
    return worker.rpartition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one worker of a host does, by the host's latest trainings.

    Attributes:
        images_per_second: training images over the whole time of these jobs, in which networks are built and judged,
            too.
        peak_memory: the most bytes that one of them took, of the device where it had one, else of the process.
    """

    images_per_second: float
    peak_memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """The workers of one host.

    Attributes:
        name: of the host.
        workers: that are ready for jobs there.
        busy: of those, how many do one.
        images_per_second: training images by all the busy ones, at the pace of the host's latest trainings; None
            before the first one.
        peak_memory: the most bytes that one of these trainings took, of the device where it had one, else of the
            process; None before the first one.
    """

    name: str
    workers: int
    busy: int
    images_per_second: float | None = None
    peak_memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RungState:
    """The candidates at one rung: those that arrived, of them those that went on, and those that may still."""

    arrived: int
    promoted: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How a search stands, as its driver says every few seconds: what everybody else knows of it.

    Attributes:
        study: its name.
        driver: `host:pid` of the process that drives it.
        trials: how many there are in each state; states without one are left out.
        target: candidates asked for; None where something else ends the search.
        rungs: from the cheapest one.
        failures: of all its trainings, by type; workers that were lost are among them.
        slots: workers that the driver would have at best.
        waiting: why no worker is at hand; empty where one is.
        workers: those that are ready.
        nodes: the same by host.
        images_per_second: of all nodes; None before the first training.
        peak_memory: the most bytes that a recent training took; None before the first one.
        train_seconds: of all its trainings together, earlier runs included.
        best, best_accuracy: the most accurate candidate of the highest rung reached; empty and None without one.
        front: candidates on the front of that rung; None where nobody has counted.
        seconds: since this run began.
        seconds_left: until the target or the end of the time, at the pace so far; None while it cannot be told.
        stop: the limit that ended the search; None while it goes on, and after an interruption.
    """

    study: str
    driver: str = ""
    trials: Mapping[TrialState, int] = field(default_factory=dict)
    target: int | None = None
    rungs: tuple[RungState, ...] = ()
    failures: Mapping[Failure, int] = field(default_factory=dict)
    slots: int = 0
    waiting: str = ""
    workers: tuple[WorkerState, ...] = ()
    nodes: tuple[NodeState, ...] = ()
    images_per_second: float | None = None
    peak_memory: int | None = None
    train_seconds: float = 0.0
    best: str = ""
    best_accuracy: float | None = None
    front: int | None = None
    seconds: float = 0.0
    seconds_left: float | None = None
    stop: str | None = None

    @property
    def lost(self) -> int:
        """Workers that were lost with a training."""
        return self.failures.get(Failure.NODE_LOST, 0)

    @property
    def busy(self) -> tuple[WorkerState, ...]:
        """The workers that do a job, those that took the longest so far first."""
        return tuple(sorted((one for one in self.workers if one.is_busy), key=lambda one: -one.seconds))

    def to_dict(self) -> dict[str, Plain]:
        """A JSON-ready dict; inverse of `from_dict`."""
        return {**asdict(self), "workers": [one.to_dict() for one in self.workers]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Plain]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            **{
                **data,
                "trials": {TrialState(state): count for state, count in data["trials"].items()},
                "failures": {Failure(failure): count for failure, count in data["failures"].items()},
                "rungs": tuple(RungState(**one) for one in data["rungs"]),
                "workers": tuple(WorkerState.from_dict(one) for one in data["workers"]),
                "nodes": tuple(NodeState(**one) for one in data["nodes"]),
            }
        )
