"""The trials of a running search: what may still be needed of each, and how many there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from nas.records import TrialRecord, TrialState


class Roster:
    """The records of the trials that may still change, by number, so that a long search fits into memory.

    Attributes:
        counts: trials by state, those that are over included.
    """

    def __init__(self) -> None:
        self.counts: Counter[TrialState] = Counter()
        self._open: dict[int, TrialRecord] = {}

    def __getitem__(self, number: int) -> TrialRecord:
        """A trial that may still change: one that is QUEUED, or STOPPED at a rung."""
        return self._open[number]

    def put(self, record: TrialRecord) -> None:
        """Take in a trial, or what has become of it. Of one that was told to the sampler its choices are forgotten."""
        before = self._open.pop(record.number, None)
        if before is not None:
            self.counts[before.state] -= 1
        self.counts[record.state] += 1
        if record.state is TrialState.QUEUED:
            self._open[record.number] = record
        elif record.state is TrialState.STOPPED:
            self._open[record.number] = replace(record, choices={}, overrun={}, sampler={})
