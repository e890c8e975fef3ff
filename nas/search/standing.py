"""Where a study stands: counts, costs and the front, kept up to date trial by trial."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from nas.analysis.hypervolume import hypervolume
from nas.analysis.running_front import RunningFront
from nas.records import Evaluation, Failure, TrialRecord, TrialState
from nas.search.objectives import Objectives

_GROWTH = 1e-3  # of the hypervolume; less does not count as any


class Standing:
    """What the finished trials of a study come to; the work for each does not grow with their number."""

    def __init__(self, objectives: Objectives, *, reference: Mapping[str, float]) -> None:
        """No trial is finished yet.

        Args:
            objectives: what the front is of.
            reference: a large cost for each metric among them, up to which the hypervolume is measured.
        """
        self._objectives = objectives
        self._reference = (0.0, *(_log(reference[name]) for name in objectives.costs))
        self.counts: Counter[TrialState] = Counter()
        self.known: dict[str, Evaluation] = {}
        """Each candidate's evaluation in this study, by id."""
        self.failures: Counter[Failure] = Counter()
        """Failed candidates by reason."""
        self.best: TrialRecord | None = None
        """The most accurate one."""
        self.front: RunningFront[TrialRecord] = RunningFront(objectives.maximise)
        """The candidates that no other one beats."""
        self.train_seconds = 0.0
        """Seconds that workers spent on trainings of this study."""
        self._volume = 0.0
        self._grew_at = 0

    @property
    def stagnant(self) -> int:
        """Evaluated candidates since the hypervolume of accuracy against log cost last grew by a thousandth."""
        return len(self.known) - self._grew_at

    def count(self, record: TrialRecord) -> list[str]:
        """Take a finished trial into account.

        Returns:
            The candidates that this leaves off the front: itself, those it beats, or none.
        """
        self.counts[record.state] += 1
        evaluation = record.evaluation
        if evaluation is None:
            return []
        if record.state is not TrialState.REUSED:
            self.train_seconds += evaluation.seconds
        is_new = record.architecture not in self.known
        self.known[record.architecture] = evaluation
        if not is_new:
            return []
        if evaluation.failure is not None:
            self.failures[evaluation.failure] += 1
        return [] if evaluation.accuracy is None else self._place(record, evaluation.accuracy)

    def _place(self, record: TrialRecord, accuracy: float) -> list[str]:
        if self.best is None or not accuracy <= _accuracy(self.best):
            self.best = record
        change = self.front.add(self._objectives.point(accuracy, record.cost), record)
        if change.is_in:
            volume = self._hypervolume()
            if volume > self._volume * (1 + _GROWTH):
                self._volume, self._grew_at = volume, len(self.known)
        return [one.architecture for one in change.beaten]

    def _hypervolume(self) -> float:
        costs = self._objectives.costs
        points = [(_accuracy(one), *(_log(one.cost[name]) for name in costs)) for one in self.front.items]
        return hypervolume(points, reference=self._reference, maximise=self._objectives.maximise)


def _accuracy(record: TrialRecord) -> float:
    evaluation = record.evaluation
    return math.nan if evaluation is None or evaluation.accuracy is None else evaluation.accuracy


def _log(cost: float) -> float:
    return math.log(max(cost, 1e-12))
