"""When a worker that says nothing counts as stuck: one rule for the workers of every executor.

Two things are listened for. A worker's pulse comes every second from a thread of its own, and stays away when the
process is stopped, its machine is gone, or native code holds the interpreter. Reports of a job come from the work
itself, when it begins, while it reads images, and after every step; a work that hangs in native code which has let the
interpreter go still has a pulse, but reports no more. How long a step may take depends on what is trained, so the limit
follows the pauses seen so far. A work that never reports is only asked for its pulse.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from nas.units import format_seconds

DEFAULT_HANG_SECONDS = 120.0
PULSE_SECONDS = 1.0  # between two pulses of a worker
CHORE_SECONDS = 1.0  # between two looks at who is silent

_PAUSES = 20  # of the longest pause seen between two reports, before one counts as endless
_FIRST_STEP = 10  # times the limit up to the first step: it reads, compiles, picks algorithms, allocates


@dataclass(slots=True, eq=False)
class Silence:
    """How long one worker has said nothing, in seconds in which somebody listened.

    Attributes:
        pulse: since anything was heard of it.
        progress: since its job reported, or was given to it.
        reports: how often the job has reported.
        has_stepped: whether one of its reports was of more than nothing.
        start: what its first sign of life may take, where that is more than the limit: its process has to start.
    """

    pulse: float = 0.0
    progress: float = 0.0
    reports: int = 0
    has_stepped: bool = False
    start: float = 0.0

    def begin(self) -> None:
        """It got a job."""
        self.progress, self.reports, self.has_stepped = 0.0, 0, False

    def break_off(self) -> None:
        """Something was heard of it."""
        self.pulse = self.start = 0.0


class HangRule:
    """The limits of an executor's workers, and the clock that they are held against."""

    def __init__(self, hang_seconds: float) -> None:
        """Begin to listen.

        Args:
            hang_seconds: how long a worker may be without a pulse, and at least without a report of a job that reports.

        Raises:
            ValueError: it is not above 0.
        """
        if not hang_seconds > 0:
            raise ValueError(f"the time after which a worker counts as stuck must be above 0, got {hang_seconds}")
        self.hang_seconds = hang_seconds
        self._longest = 0.0  # pause before a report, of any worker
        self._looked = time.monotonic()

    def listened(self) -> float:
        """Seconds since the last look at who is silent, once they are enough for another one; else 0.

        While nobody listens nobody is silent: a driver that was busy elsewhere, or stopped, counts as a short look.
        """
        now = time.monotonic()
        passed = now - self._looked
        if passed < CHORE_SECONDS:
            return 0.0
        self._looked = now
        return min(passed, 2 * CHORE_SECONDS)

    def report(self, silence: Silence, reports: int, fraction: float) -> None:
        """The job of a worker has reported so many times by now, and has done this much of it."""
        if reports != silence.reports:
            self._longest = max(self._longest, silence.progress)
            silence.progress, silence.reports = 0.0, reports
            silence.has_stepped |= fraction > 0

    def wait(self, silence: Silence, passed: float, *, pulse_seconds: float = PULSE_SECONDS) -> str | None:
        """Count seconds of listening to a worker; how it ended, after "the worker", if it is stuck.

        Args:
            silence: the worker's.
            passed: seconds that were listened.
            pulse_seconds: between two of its pulses.
        """
        silence.pulse += passed
        silence.progress += passed
        limit = max(self.hang_seconds, silence.start)
        if silence.pulse > limit + pulse_seconds:
            return f"said nothing for {format_seconds(limit)} and was killed"
        limit = self._limit(silence)
        if silence.reports and silence.progress > limit + pulse_seconds:
            return f"made no progress for {format_seconds(limit)} and was killed"
        return None

    def _limit(self, silence: Silence) -> float:
        """Seconds that the next report may take."""
        least = self.hang_seconds if silence.has_stepped else _FIRST_STEP * self.hang_seconds
        return max(least, _PAUSES * self._longest)
