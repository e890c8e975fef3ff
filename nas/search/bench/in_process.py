"""An executor without processes: for work that is done at once, as if several workers did it side by side."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Mapping, Sequence

from nas.executors.base import Executor, Finished, Work, busy_worker
from nas.pulse import WorkerState
from nas.records import Job


class InProcess(Executor):
    """Workers that all take equally long: the job that was submitted first ends first, and one at a time.

    So with W workers every proposal but the first ones is made while W - 1 results are not in yet, as in a real search
    whose trainings take long compared with a proposal.
    """

    def __init__(self, work: Work, *, workers: int) -> None:
        """`workers` jobs at a time."""
        self._work = work
        self._workers = workers
        self._jobs: deque[Job] = deque()

    @property
    def workers(self) -> int:
        """How many jobs can be under way at the same time."""
        return self._workers

    @property
    def capacity(self) -> int:
        """How many jobs `submit` accepts right now."""
        return self._workers - len(self._jobs)

    def submit(self, job: Job) -> None:
        """Take a job; raises RuntimeError if no worker is free."""
        if not self.capacity:
            raise RuntimeError(f"all {self._workers} workers are busy")
        self._jobs.append(job)

    def completed(self, timeout: float) -> list[Finished]:
        """The oldest job, done now."""
        if not self._jobs:
            return []
        job = self._jobs.popleft()
        return [Finished(job.id, self._work(job, report=lambda fraction: None))]

    def progress(self) -> Mapping[str, float]:
        """Nothing is ever half done."""
        return {}

    def worker_states(self) -> Sequence[WorkerState]:
        """This process, once for every worker; nothing takes any time."""
        name = f"{socket.gethostname()}:{os.getpid()}"
        busy = [busy_worker(name, job, seconds=0.0, fraction=0.0) for job in self._jobs]
        return [*busy, *(WorkerState(name=name) for _ in range(self.capacity))]

    def shortage(self) -> str:
        """Never any: workers are started at once."""
        return ""

    def cancel(self, job_id: str) -> None:
        """Forget a job."""
        self._jobs = deque(job for job in self._jobs if job.id != job_id)

    def close(self) -> None:
        """Forget all jobs."""
        self._jobs.clear()
