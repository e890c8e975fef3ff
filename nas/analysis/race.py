"""Searches side by side: how good the front was after each second that went into trainings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import numpy as np
from numpy.typing import NDArray

from nas.analysis.hypervolume import hypervolume
from nas.analysis.pareto import non_dominated

Values = NDArray[np.float64]

_MAXIMISE = (True, False)
_ROOM = 1.1  # the reference lies this much beyond the joint front's dearest network, in log cost
_STEPS = 200  # of a curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A network that a search has trained to the end.

    Attributes:
        seconds: that had gone into all trainings of the search by then, failed and stopped ones included.
        accuracy: on the validation split, in [0, 1].
        cost: positive.
    """

    seconds: float
    accuracy: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One search.

    Attributes:
        team: what it has in common with its repetitions under other seeds.
        seed: of the search.
        tried: candidates that it began to train.
        seconds: of all its trainings.
        trained: networks trained to the end, in the order in which they were.
    """

    team: str
    seed: int
    tried: int
    seconds: float
    trained: tuple[Trained, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A team's hypervolume over time, a row a moment.

    Attributes:
        seconds, middle, low, high: (moments,): the moment; the median, lowest and highest of the team's runs.
    """

    seconds: Values
    middle: Values
    low: Values
    high: Values


@dataclass(frozen=True)
class Race:
    """Searches of one space, with the same trainings and the same cost.

    The hypervolume is the area under the accuracies that were seen, above the median of all networks that any of the
    searches has trained to the end, over log cost up to a little beyond the dearest one on their joint front; it is
    given as a share of the joint front's. What a search has only begun to train does not count.
    """

    runs: tuple[Run, ...]

    @property
    def teams(self) -> tuple[str, ...]:
        """In the order in which they came."""
        return tuple(dict.fromkeys(run.team for run in self.runs))

    def of(self, team: str) -> list[Run]:
        """The runs of a team."""
        return [run for run in self.runs if run.team == team]

    @cached_property
    def length(self) -> float:
        """Seconds of training that every search has had."""
        return min(run.seconds for run in self.runs)

    @cached_property
    def reference(self) -> tuple[float, float]:
        """The accuracy and the log cost from which the area counts."""
        points = [point for run in self.runs for point in _points(run.trained)]
        floor = median(accuracy for accuracy, _ in points)
        inside = [point for point in points if point[0] >= floor]
        logs = [inside[place][1] for place in non_dominated(inside, maximise=_MAXIMISE)]
        least, most = min(logs), max(logs)
        return floor, least + _ROOM * (most - least) if most > least else least + 1

    @cached_property
    def _whole(self) -> float:
        return self._area([one for run in self.runs for one in run.trained])

    def score(self, run: Run, seconds: float) -> float:
        """A search's share of the joint hypervolume after so many seconds of training."""
        return self._area([one for one in run.trained if one.seconds <= seconds]) / self._whole

    def scores(self, team: str, share: float) -> list[float]:
        """Those of a team's runs after a share of `length`."""
        return [self.score(run, share * self.length) for run in self.of(team)]

    def curve(self, team: str) -> Curve:
        """A team's scores over the time that every search has had."""
        moments = np.linspace(0, self.length, _STEPS + 1)
        found = np.array([[self.score(run, float(moment)) for moment in moments] for run in self.of(team)])
        return Curve(seconds=moments, middle=np.median(found, axis=0), low=found.min(axis=0), high=found.max(axis=0))

    def _area(self, trained: Sequence[Trained]) -> float:
        return hypervolume(_points(trained), reference=self.reference, maximise=_MAXIMISE)


def _points(trained: Sequence[Trained]) -> list[tuple[float, float]]:
    return [(one.accuracy, math.log(one.cost)) for one in trained]
