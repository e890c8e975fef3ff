"""What is learnt from: which evaluations, when the model is made anew, and accuracies as targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nas.analysis.pareto import ranks
from nas.search.history import Evaluated
from nas.search.samplers.surrogate.embedding import Array

FIRST = 4  # evaluations before which there is no model
MOST = 384  # evaluations a model is made of
LONGEST = 64  # evaluations after which it is made anew at the latest
_SHORTEST = 2
_LEAST = 1e-9  # deviation of accuracies that are not all the same, but for rounding
_GROWTH = 10  # otherwise when there are a tenth more


def last_remake(count: int) -> int:
    """The number of evaluations, at most `count`, that the model of `count` evaluations was last made anew with.

    A function of the number alone, so that a resumed search has the model of an uninterrupted one. Intervals grow, as a
    model is made in cubic time and changes ever less.
    """
    made = FIRST
    while made + interval(made) <= count:
        made += interval(made)
    return made


def interval(made: int) -> int:
    """How many evaluations a model made of `made` is used for."""
    return min(max(_SHORTEST, made // _GROWTH), LONGEST)


def chosen(evaluated: Evaluated, maximise: tuple[bool, ...]) -> NDArray[np.intp]:
    """Which evaluations a model is made of: all, or those on the foremost fronts and as many spread over the rest."""
    count = len(evaluated)
    if count <= MOST:
        return np.arange(count)
    accuracies = np.nan_to_num(evaluated.accuracies, nan=-np.inf)
    order = np.argsort(ranks(np.column_stack([accuracies, evaluated.costs]).tolist(), maximise=maximise), kind="stable")
    rest = order[MOST // 2 :]
    spread = rest[np.linspace(0, len(rest) - 1, MOST - MOST // 2).round().astype(np.intp)]
    return np.sort(np.concatenate([order[: MOST // 2], spread]))


@dataclass(frozen=True, slots=True)
class Scale:
    """From accuracies to targets of mean 0 and variance 1.

    What is much worse than the median tells where not to look, but not how bad: it is winsorised, so that the model
    spends its smoothness on the good ones.

    Attributes:
        floor: accuracies below count as this.
        centre: the mean of the rest.
        unit: its standard deviation.
    """

    floor: float
    centre: float
    unit: float

    @classmethod
    def of(cls, accuracies: Array) -> Self:
        """As far below the median as the best is above it; failures (NaN) are worth the floor."""
        known = accuracies[np.isfinite(accuracies)]
        median, worst = float(np.median(known)), float(known.min())
        reach = float(known.max()) - median
        floor = max(median - reach, worst) if reach > 0 else worst
        winsorised = _winsorised(accuracies, floor)
        unit = float(winsorised.std())
        return cls(floor, float(winsorised.mean()), unit if unit > _LEAST else 1.0)

    def targets(self, accuracies: Array) -> Array:
        """Standardised accuracies (n,)."""
        return (_winsorised(accuracies, self.floor) - self.centre) / self.unit


def _winsorised(accuracies: Array, floor: float) -> Array:
    return np.asarray(np.fmax(accuracies, floor))
