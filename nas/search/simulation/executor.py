"""An executor whose trainings take no real time: a clock of its own, and a heap of the moments at which they end."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from nas.executors.base import Executor, Finished, busy_worker
from nas.pulse import WorkerState
from nas.records import Evaluation, Job
from nas.search.simulation.world import Outcome

_IDLE = "idle:0"  # a worker without a job is on no node in particular


class _Running(NamedTuple):
    """A job under way, in the order in which jobs end; the serial number settles ties."""

    end: float
    serial: int
    job: Job
    begun: float
    evaluation: Evaluation


class SimulatedExecutor(Executor):
    """Workers that train in virtual time: looking at them moves the clock to the end of the next training.

    Virtual time stands still while the driver works, so a search comes out the same however fast the driver is.

    Attributes:
        now: virtual seconds since the beginning.
        busy: virtual seconds that workers have spent on jobs that ended.
        spent: processor seconds that the simulation itself has taken, which are none of the driver's.
        submitted: jobs so far.
    """

    def __init__(self, outcome: Callable[[Job], Outcome], *, workers: int, together: int = 1) -> None:
        """Workers that are all free.

        Args:
            outcome: how a job will go.
            workers: jobs at a time.
            together: trainings that have ended by each look. One is how it is while trainings are long compared with
                the driver's work; a driver that cannot keep up finds several.
        """
        self._outcome = outcome
        self._workers = workers
        self._together = together
        self._heap: list[_Running] = []
        self._jobs: dict[str, _Running] = {}
        self.now = self.busy = self.spent = 0.0
        self.submitted = 0

    @property
    def workers(self) -> int:
        """How many jobs can be under way at the same time."""
        return self._workers

    @property
    def capacity(self) -> int:
        """How many jobs `submit` accepts right now."""
        return self._workers - len(self._jobs)

    def submit(self, job: Job) -> None:
        """Begin a job now.

        Raises:
            ValueError: a job of the same id is under way.
            RuntimeError: no worker is free.
        """
        begun = time.thread_time()
        if job.id in self._jobs:
            raise ValueError(f"job {job.id} is under way already")
        if not self.capacity:
            raise RuntimeError(f"all {self._workers} workers are busy")
        seconds, evaluation = self._outcome(job)
        self.submitted += 1
        running = self._jobs[job.id] = _Running(self.now + seconds, self.submitted, job, self.now, evaluation)
        heapq.heappush(self._heap, running)
        self.spent += time.thread_time() - begun

    def completed(self, timeout: float) -> list[Finished]:
        """The trainings that end next, at the moment when the last of them does; never waits in real time."""
        begun = time.thread_time()
        found: list[Finished] = []
        while self._heap and len(found) < self._together:
            running = heapq.heappop(self._heap)
            if self._jobs.get(running.job.id) is not running:
                continue  # cancelled
            del self._jobs[running.job.id]
            self.now = running.end
            self.busy += running.end - running.begun
            found.append(Finished(running.job.id, running.evaluation))
        self.spent += time.thread_time() - begun
        return found

    def progress(self) -> Mapping[str, float]:
        """The fraction done of every job under way."""
        now = self.now
        return {name: (now - one.begun) / (one.end - one.begun or 1.0) for name, one in self._jobs.items()}

    def worker_states(self) -> Sequence[WorkerState]:
        """The workers, each by the name that its evaluation will have."""
        fractions = self.progress()
        busy = [
            busy_worker(one.evaluation.worker, one.job, seconds=self.now - one.begun, fraction=fractions[name])
            for name, one in self._jobs.items()
        ]
        return [*busy, *(WorkerState(name=_IDLE) for _ in range(self.capacity))]

    def shortage(self) -> str:
        """Never any: workers are started at once."""
        return ""

    def cancel(self, job_id: str) -> None:
        """Stop a job, if it is under way."""
        self._jobs.pop(job_id, None)

    def close(self) -> None:
        """Forget all jobs."""
        self._jobs.clear()
        self._heap.clear()
