"""When a search ends, and what ended a run of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from nas.units import format_seconds, plural

_STORED = ("trials", "seconds", "train_seconds", "patience")


class Stop(StrEnum):
    """Why nothing more is trained."""

    TRIALS = "trials"
    TIME = "time"
    TRAIN_TIME = "train time"
    STAGNATION = "stagnation"
    COMPLETION = "completion"  # of a sweep: every training that was given is done


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

    @property
    def is_given(self) -> bool:
        """Whether anything ends the search before the candidates run out."""
        return any(getattr(self, name) is not None for name in _STORED)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {name: getattr(self, name) for name in _STORED}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, among other things."""
        return cls(
            trials=data.get("trials"),
            seconds=data.get("seconds"),
            train_seconds=data.get("train_seconds"),
            patience=data.get("patience"),
        )

    def __str__(self) -> str:
        shown = (
            None if self.trials is None else plural(self.trials, "candidate"),
            None if self.seconds is None else format_seconds(self.seconds),
            None if self.train_seconds is None else f"{format_seconds(self.train_seconds)} of training",
            None if self.patience is None else f"{plural(self.patience, 'candidate')} without growth of the front",
        )
        return " or ".join(filter(None, shown)) or "no limit"

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
