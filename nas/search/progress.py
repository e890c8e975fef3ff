"""How far a search is, as one value that displays and logs can draw."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a search.

    Attributes:
        target: evaluations asked for.
        trained: candidates trained by this study.
        reused: candidates whose evaluation was known already.
        failed: candidates whose training failed.
        rejected: asks over budget.
        running: fraction done of every training under way.
        best_id: the most accurate candidate so far, empty without one.
        best_accuracy: its validation accuracy.
        best_share: the part of the budget it uses.
        seconds: since this run began.
        seconds_left: until the target is reached at the pace so far; NaN while unknown.
        lost: workers that died in the middle of a training; it is handed out again, twice at most.
    """

    target: int
    trained: int = 0
    reused: int = 0
    failed: int = 0
    rejected: int = 0
    running: tuple[float, ...] = ()
    best_id: str = ""
    best_accuracy: float = math.nan
    best_share: float = math.nan
    seconds: float = 0.0
    seconds_left: float = math.nan
    lost: int = 0

    @property
    def done(self) -> int:
        """Candidates that need no more work."""
        return self.trained + self.reused + self.failed

    @property
    def fraction(self) -> float:
        """How much of the target is done, trainings under way counted by their part."""
        return min(1.0, (self.done + sum(self.running)) / self.target) if self.target else 1.0
