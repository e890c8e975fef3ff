"""What a tracker of trainings does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from nas.errors import UserError
from nas.records import Plain


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """One training, as a tracker knows it.

    Attributes:
        group: what it belongs to: a study, or the folder of a training.
        name: of the run, unique in its group.
        facts: what was decided before it began.
        mark: of everything that will be logged, for one of which that is known when it begins; empty otherwise.
    """

    group: str
    name: str
    facts: Mapping[str, Plain] = field(default_factory=dict)
    mark: str = ""

    @property
    def identity(self) -> str:
        """The same for a run however often it is written; plain, whatever is in the names."""
        return sha256(f"{self.group}/{self.name}".encode()).hexdigest()[:16]


class OpenRun(Protocol):
    """A run that is being written."""

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """Add what is known at the end of an epoch, from 1 and growing."""
        ...

    def close(self) -> None:
        """Nothing more is coming."""
        ...


class Tracker(Protocol):
    """Writes runs into a folder."""

    def has(self, run: TrackedRun) -> bool:
        """Whether a run with this very mark is there, whole."""
        ...

    def begin(self, run: TrackedRun) -> OpenRun:
        """Begin a run; one of the same group and name that is there already is replaced.

        So a training that was interrupted, or a candidate that went on to the next rung, is there once.
        """
        ...


def require_library(module: str, what: str, extra: str) -> None:
    """Raise UserError where a tracker's library is absent."""
    if find_spec(module) is None:
        raise UserError(
            f"{what} needs its library, {module}; `pip install 'nas-convnets[{extra}]'` brings it. Learning curves are "
            "written as CSV anyway"
        )


def is_marked(folder: Path, mark: str) -> bool:
    """Whether a folder of a run has this mark."""
    try:
        return bool(mark) and (folder / _MARK).read_text(encoding="utf-8") == mark
    except (OSError, ValueError):
        return False


def put_mark(folder: Path, mark: str) -> None:
    """Mark a folder as whole."""
    if mark:
        (folder / _MARK).write_text(mark, encoding="utf-8")


def tag(name: str) -> str:
    """What a value of a curve is called.

    >>> tag("train_loss"), tag("seconds")
    ('loss/train', 'seconds')
    """
    return _TAGS.get(name, name)


_MARK = "nas-mark"
_TAGS = {"train_loss": "loss/train", "validation_loss": "loss/validation", "validation_accuracy": "accuracy/validation"}
