"""The trials between asking and telling: queued, handed to a worker, or waiting for another trial's training."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from nas.records import TrialRecord

_MAX_ATTEMPTS = 3  # of a training whose worker was lost


class UnderWay:
    """Who is under way; no candidate is trained twice at a time. Nothing here takes time that grows with their number.

    Attributes:
        new: trials among them that have no result yet at any rung.
        lost: workers that were lost with a job.
    """

    def __init__(self) -> None:
        self._queue: deque[int] = deque()
        self._running: dict[str, int] = {}  # job id -> trial
        self._candidates: set[str] = set()
        self._waiting: dict[str, list[int]] = {}  # candidate -> further trials that asked for it
        self._losses: Counter[int] = Counter()  # by trial, in this run: a killed driver is no fault of it
        self.new = self.lost = 0

    def __bool__(self) -> bool:
        """Whether anything is queued or running."""
        return bool(self._candidates)

    @property
    def jobs(self) -> Iterable[str]:
        """The ids of the jobs that workers have."""
        return self._running.keys()

    def __contains__(self, architecture: str) -> bool:
        """Whether a candidate is queued or running."""
        return architecture in self._candidates

    def enter(self, record: TrialRecord) -> bool:
        """Take in a trial to be trained; False if its candidate is under way already and it has to wait for that."""
        if record.architecture in self._candidates:
            self._waiting.setdefault(record.architecture, []).append(record.number)
            return False
        self._candidates.add(record.architecture)
        self.new += record.evaluation is None
        return True

    def climb(self, record: TrialRecord) -> None:
        """Take in a trial that goes on to another rung."""
        self._candidates.add(record.architecture)

    def leave(self, record: TrialRecord) -> list[int]:
        """Let a trial go whose training is over, by what it was before; returns those that waited for it."""
        self._candidates.discard(record.architecture)
        self.new -= record.evaluation is None
        return self._waiting.pop(record.architecture, [])

    def queue(self, number: int) -> None:
        """Have a trial submitted later on."""
        self._queue.append(number)

    def queued(self) -> Iterator[int]:
        """The trials that are to be submitted next, which are not queued any more."""
        while self._queue:
            yield self._queue.popleft()

    def begin(self, job_id: str, number: int) -> None:
        """A worker has got a trial's job."""
        self._running[job_id] = number

    def end(self, job_id: str) -> int:
        """A job has ended; returns its trial."""
        return self._running.pop(job_id)

    def lose(self, number: int) -> bool:
        """A job's worker was lost; whether the trial is queued again, because that has not happened too often."""
        self.lost += 1
        self._losses[number] += 1
        if self._losses[number] < _MAX_ATTEMPTS:
            self.queue(number)
            return True
        return False
