"""When a training is put aside, and how it is taken up again: one rule for a search's trainings and for full ones."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from nas.records import EvaluationKey
from nas.train.checkpoint import read_checkpoint, write_checkpoint
from nas.train.loop import Training

SAVE_EVERY = 60.0  # seconds of training that an interruption may cost


@dataclass(slots=True, kw_only=True)
class Saver:
    """Takes a training up where it was left, and puts it aside now and then.

    What a failing store means is for the caller to say: a search's training loses the head start of its next rung at
    most, while a full one may be worth days.

    Attributes:
        training: the one to keep, before its first step.
        key: which training it is; its rung does not matter.
        place: a path or an fsspec URL; None to keep nothing.
        every: seconds between two checkpoints.
        is_on: whether checkpoints are written; only the first of several processes writes.
    """

    training: Training
    key: EvaluationKey
    place: str | None
    every: float = SAVE_EVERY
    is_on: bool = True
    _last: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Nothing is written where there is no place for it."""
        self.is_on = self.is_on and self.place is not None

    def restore(self, rung: int | None = None) -> dict[str, Any] | None:
        """Go on from the checkpoint.

        One that is beyond `rung` (None: the last) is left alone, and nothing is written over it: a later rung needs it.

        Returns:
            What was saved, `more` included; None where the training begins anew, because there is no checkpoint, or it
            is damaged, another training's or beyond the rung.

        Raises:
            OSError: the place cannot be reached.
        """
        if self.place is None:
            return None
        training = self.training
        state = read_checkpoint(self.place, self.key, training.device)
        if state is None:
            return None
        if rung is not None and state["step"] > training.plan.end_of(rung):
            self.is_on = False
            return None
        training.load_state_dict(state)
        return state

    @property
    def is_due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self.is_on and time.monotonic() - self._last >= self.every

    def save(self, **more: Any) -> None:
        """Write the present state, if anything is to be written, and tensors, numbers or plain containers with it.

        Raises:
            OSError: no room, or the place cannot be reached; the next checkpoint is due when it would have been.
        """
        if not self.is_on:
            return
        try:
            write_checkpoint(str(self.place), self.key, {**self.training.state_dict(), **more})
        finally:
            self._last = time.monotonic()
