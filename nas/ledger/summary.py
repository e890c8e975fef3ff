"""A study at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from nas.records import StudyKind, TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySummary:
    """What a list of studies shows.

    Attributes:
        name: unique in the ledger.
        kind: what it does; None where that cannot be read.
        created: ISO 8601, UTC.
        counts: number of trials in each state; states without a trial are left out.
        best_accuracy: highest validation accuracy of its trials, in [0, 1]; None before the first one.
        latest_activity: when a trial was last written, ISO 8601, UTC; `created` before the first one.
        space: name of the space that its candidates are from; empty for given ones.
        budget: its bounds.
        data: reference of the data set; empty where a training brings its own.
        state: `running`; `silent`, with a driver that gives no sign of life; `ended` by a limit; `interrupted`; `new`,
            if nobody has ever driven it; or `damaged`.
        problem: what is damaged; nothing else can be said of it then.
    """

    name: str
    kind: StudyKind | None
    created: str
    counts: Mapping[TrialState, int]
    best_accuracy: float | None
    latest_activity: str
    space: str = ""
    budget: tuple[str, ...] = ()
    data: str = ""
    state: str = "new"
    problem: str = ""

    @property
    def purpose(self) -> str:
        """What it does, as a predicate: 'trains given architectures'."""
        return f"cannot be read: {self.problem}" if self.kind is None else self.kind.purpose

    @classmethod
    def damaged(cls, name: str, created: str, problem: str) -> Self:
        """One of which no more than its name is certain."""
        return cls(
            name=name,
            kind=None,
            created=created,
            counts={},
            best_accuracy=None,
            latest_activity=created,
            state="damaged",
            problem=problem,
        )
