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


class Results:
    """What the finished trials of a study come to; the work for each does not grow with their number."""

    def __init__(self, objectives: Objectives, *, reference: Mapping[str, float], rungs: int = 1) -> None:
        """No trial is finished yet.

        Args:
            objectives: what the front is of.
            reference: a large cost for each metric among them, up to which the hypervolume is measured.
            rungs: fidelities; accuracies of different ones are never compared.
        """
        self._objectives = objectives
        self._reference = (0.0, *(_log(reference[name]) for name in objectives.costs))
        self.counts: Counter[TrialState] = Counter()
        self.trained = 0
        """Candidates that this study has trained, to whatever rung."""
        self.known: dict[str, Evaluation] = {}
        """Each candidate's evaluation at the first rung in this study, by id."""
        self.failures: Counter[Failure] = Counter()
        """Failed candidates by reason."""
        self.best: TrialRecord | None = None
        """The most accurate one of the highest rung that is reached."""
        self._fronts: list[RunningFront[TrialRecord]] = [RunningFront(objectives.maximise) for _ in range(rungs)]
        self.train_seconds = 0.0
        """Seconds that workers spent on trainings of this study."""
        self._volume = 0.0
        self._grew_at = 0

    @property
    def stagnant(self) -> int:
        """Evaluated candidates since the hypervolume of accuracy against log cost last grew by a thousandth."""
        return len(self.known) - self._grew_at

    @property
    def front(self) -> int:
        """How many candidates are on the front of the highest rung that any has reached."""
        return next((len(front.items) for front in reversed(self._fronts) if front.items), 0)

    def count(self, record: TrialRecord, *, is_fresh: bool) -> list[str]:
        """Take a trial into account that was rejected, has failed or has reached a rung.

        Args:
            record: with its evaluation at that rung.
            is_fresh: whether this study has paid for it.

        Returns:
            The candidates that this leaves off the front of the last rung: itself, those it beats, or none.
        """
        evaluation = record.evaluation
        if evaluation is None or record.architecture_id not in self.known or record.state is TrialState.REUSED:
            self.counts[record.state] += 1
        if evaluation is None:
            return []
        rung, is_new = evaluation.key.rung, record.architecture_id not in self.known
        if is_fresh and (is_new or rung):  # a failure that is asked for again is not paid for again
            self.train_seconds += evaluation.seconds
        if is_new:
            self.known[record.architecture_id] = evaluation
            self.trained += is_fresh and evaluation.succeeded
        if evaluation.failure is not None:
            self.failures[evaluation.failure] += is_new
        if evaluation.accuracy is None or (rung == 0 and not is_new):
            return []
        return self._place(record, evaluation.accuracy, rung)

    def _place(self, record: TrialRecord, accuracy: float, rung: int) -> list[str]:
        if self.best is None or (rung, accuracy) > (_rung(self.best), _accuracy(self.best)):
            self.best = record
        change = self._fronts[rung].add(self._objectives.point(accuracy, record.cost), record)
        if change.is_in and rung == 0:
            volume = self._hypervolume()
            if volume > self._volume * (1 + _GROWTH):
                self._volume, self._grew_at = volume, len(self.known)
        return [one.architecture_id for one in change.beaten] if rung == len(self._fronts) - 1 else []

    def _hypervolume(self) -> float:
        costs = self._objectives.costs
        front = self._fronts[0].items
        points = [(_accuracy(one), *(_log(one.cost[name]) for name in costs)) for one in front]
        return hypervolume(points, reference=self._reference, maximise=self._objectives.maximise)


def _accuracy(record: TrialRecord) -> float:
    evaluation = record.evaluation
    return math.nan if evaluation is None or evaluation.accuracy is None else evaluation.accuracy


def _rung(record: TrialRecord) -> int:
    return -1 if record.evaluation is None else record.evaluation.key.rung


def _log(cost: float) -> float:
    return math.log(max(cost, 1e-12))
