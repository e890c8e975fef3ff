"""Times of several works in one run, taken in turn, so that a busy machine is equally unkind to all."""

from __future__ import annotations

import time
from collections.abc import Callable


def in_turn(*works: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of the process's CPU time for each work, the least of all repeats."""
    rounds = [[_seconds(work) for work in works] for _ in range(repeats)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
