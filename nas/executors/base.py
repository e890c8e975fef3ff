"""What an executor is: jobs in, evaluations out, and no job that disappears.

An executor is driven by one thread. It knows nothing of studies, retries or the ledger: a job that was lost with its
worker comes back as an evaluation like any other, and whoever submitted it decides what happens next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from nas.pulse import WorkerState
from nas.records import Evaluation, Job
from nas.registry import Registry

Report = Callable[[float], None]
"""Called by the work with the fraction it has done, in [0, 1]; cheap enough for every training step."""


class Work(Protocol):
    """What a worker does with a job: a function at the top level of an importable module, or a `partial` of one."""

    def __call__(self, job: Job, /, *, report: Report) -> Evaluation:
        """Do the job and say how it went; an exception counts as a defect (`Failure.BUG`)."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """One job that is over.

    Attributes:
        job_id: the id it was submitted with.
        evaluation: its result, or how it failed; carries the key of the job.
    """

    job_id: str
    evaluation: Evaluation


class Executor(ABC):
    """A fixed number of workers that each do one job at a time.

    Every submitted job is returned by `completed` exactly once, unless it is cancelled first. A worker that ends with
    its job (killed, out of memory, crashed in native code, its machine gone) yields a `Failure.NODE_LOST` for that job
    alone and is replaced.
    """

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many jobs can be under way at the same time."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """How many jobs `submit` accepts right now."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Hand a job to a free worker; does not wait for it.

        Raises:
            ValueError: a job of the same id is under way.
            RuntimeError: no worker is free (`capacity` is 0), or the executor is closed.
        """

    @abstractmethod
    def completed(self, timeout: float) -> list[Finished]:
        """The jobs that ended since the last call; waits for the first one, `timeout` seconds at most.

        Returns at once when something has ended or nothing is under way. It is also where progress is read and dead
        workers are replaced, so it wants to be called every few seconds at least.

        Raises:
            NasError: workers cannot be started here; the message carries what they wrote.
            RuntimeError: the executor is closed.
        """

    @abstractmethod
    def progress(self) -> Mapping[str, float]:
        """The fraction done of every job under way, by job id, as of the last `completed`."""

    @abstractmethod
    def worker_states(self) -> Sequence[WorkerState]:
        """The workers that are ready for jobs and what they do, as of the last `completed`; none once it is closed."""

    @abstractmethod
    def shortage(self) -> str:
        """Why jobs wait although there are fewer than `workers`: who has the room; empty where a worker is at hand."""

    @abstractmethod
    def cancel(self, job_id: str) -> None:
        """Stop a job; `completed` never returns it. A job that is not under way is no error: it may just have ended."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything, finished or not, and give back every process and descriptor; may be called twice."""

    def __enter__(self) -> Self:
        """The executor itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close it."""
        self.close()


def busy_worker(name: str, job: Job, *, seconds: float, fraction: float, silent: float = 0.0) -> WorkerState:
    """A worker that has had a job for so many seconds, and for so many has not said how far it is."""
    key = job.key
    return WorkerState(
        name=name,
        job=job.id,
        architecture_id=key.architecture_id,
        rung=key.rung,
        seconds=seconds,
        fraction=fraction,
        silent=silent,
    )


class ExecutorFactory(Protocol):
    """How every registered executor can be made; each has further keyword arguments of its own."""

    def __call__(self, work: Work, *, workers: int, hang_seconds: float = ...) -> Executor:
        """An executor whose workers do `work`, and count as stuck after so much silence."""
        ...


executors: Registry[ExecutorFactory] = Registry("executor")
