"""What every executor with workers of its own keeps account of: results to hand over, failed starts, its end."""

from __future__ import annotations

import time
from collections.abc import Callable

from nas.errors import NasError
from nas.executors.base import Finished
from nas.records import Evaluation, Failure, Job

_FAILED_STARTS_LIMIT = 5  # in a row: workers cannot start here; fewer may be chance, such as a shortage of memory


class Bookkeeping:
    """Results that were not collected yet, and why there will be no more.

    Attributes:
        error: why no worker can be had any more; raised once everything that had ended was collected.
        is_closed: whether the executor was closed.
    """

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.error: NasError | None = None
        self.is_closed = False
        self._finished: list[Finished] = []
        self._failed_starts = 0  # workers that ended before they were ready, in a row

    def require_open(self) -> None:
        """Raise RuntimeError if the executor is closed."""
        if self.is_closed:
            raise RuntimeError("the executor is closed")

    def finish(self, job: Job, evaluation: Evaluation) -> None:
        """Take in the result of a job."""
        self._finished.append(Finished(job.id, evaluation))

    def forget(self, job_id: str) -> None:
        """Drop the result of a job that was cancelled after it had ended."""
        self._finished = [finished for finished in self._finished if finished.job_id != job_id]

    def collect(self, timeout: float, listen: Callable[[float], None], is_busy: Callable[[], bool]) -> list[Finished]:
        """The results that were not collected yet; waits for the first one while there is something to wait for.

        Args:
            timeout: seconds to wait at most.
            listen: waits so many seconds at most for what workers have to say, and takes that in.
            is_busy: whether jobs are under way.

        Raises:
            NasError: nothing has ended, and workers cannot be had any more.
            RuntimeError: the executor is closed.
        """
        self.require_open()
        deadline = time.monotonic() + timeout
        left = 0.0
        while left >= 0.0:
            if self.error is None:
                listen(left)
            if self._finished or self.error is not None or not is_busy():
                break
            left = deadline - time.monotonic()
        if self.error is not None and not self._finished:
            raise self.error
        finished, self._finished = self._finished, []
        return finished

    def worker_started(self) -> None:
        """A worker is ready for jobs: starts that failed before were chance."""
        self._failed_starts = 0

    def start_failed(self, what: str, report: str) -> bool:
        """Count a worker that ended before it was of use; True if that were too many in a row, which is an error.

        Args:
            what: what was to start, in the plural.
            report: how the last one ended, and what it wrote.
        """
        self._failed_starts += 1
        if self._failed_starts < _FAILED_STARTS_LIMIT:
            return False
        self.error = NasError(
            f"{what} cannot start: {self._failed_starts} in a row ended before they could take a job; {report}"
        )
        return True


def lost(job: Job, *, worker: str, sent: float, ending: str, output: str) -> Evaluation:
    """What becomes of a job whose worker has ended.

    Args:
        job: what it was doing.
        worker: its name.
        sent: when it got the job, on the monotonic clock.
        ending: what happened to it, after "the worker".
        output: what it wrote last.
    """
    return Evaluation(
        key=job.key,
        failure=Failure.NODE_LOST,
        message=f"the worker {ending} during the job",
        traceback=output,
        seconds=time.monotonic() - sent,
        worker=worker,
    )
