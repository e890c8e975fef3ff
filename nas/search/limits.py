"""When a search ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stop(StrEnum):
    """Why no more candidates are asked for."""

    TRIALS = "trials"
    TIME = "time"
    TRAIN_TIME = "train time"
    STAGNATION = "stagnation"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a search stops asking; trainings under way are finished. None is no limit, and the first one met counts.

    Attributes:
        trials: distinct candidates to have an evaluation of, those of earlier runs counted.
        seconds: wall time of this run.
        train_seconds: of all workers together, those of earlier runs counted.
        patience: candidates in a row by which the hypervolume has hardly grown.
        fruitless_asks: asks in a row without a new candidate within budget, after which it gives up.
    """

    trials: int | None = None
    seconds: float | None = None
    train_seconds: float | None = None
    patience: int | None = None
    fruitless_asks: int = 2000

    def reached(self, *, trials: int, seconds: float, train_seconds: float, stagnant: int) -> Stop | None:
        """The limit that is met.

        Args:
            trials: candidates with an evaluation or under way.
            seconds: since this run began.
            train_seconds: of all trainings so far.
            stagnant: evaluations since the hypervolume last grew.
        """
        so_far = (
            (Stop.TRIALS, self.trials, trials),
            (Stop.TIME, self.seconds, seconds),
            (Stop.TRAIN_TIME, self.train_seconds, train_seconds),
            (Stop.STAGNATION, self.patience, stagnant),
        )
        return next((stop for stop, limit, value in so_far if limit is not None and value >= limit), None)
