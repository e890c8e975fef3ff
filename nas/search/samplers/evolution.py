"""Regularised evolution, towards a front."""

from __future__ import annotations

from functools import partial

import numpy as np

from nas.analysis.pareto import ranks
from nas.search.history import Evaluated
from nas.search.samplers.base import RowSampler, SamplerFor, Setting, register
from nas.search.samplers.uniform import draw_untried
from nas.space.feasible import Row

_POPULATION = 100  # the youngest, whatever they are worth
_TOURNAMENT = 50  # half of them: a front has many winners
_FIRST = 16  # candidates at random before anybody has children


@register("evolution", window=0)
def evolution(setting: Setting) -> SamplerFor:
    """Children of one of the youngest candidates, which is the foremost of a random few; with one decision changed.

    Regularised evolution (Real, Aggarwal, Huang and Le, arXiv:1802.01548, section 3) removes the oldest candidate and
    not the worst. Differs from the paper: the winner of a tournament is one on its foremost non-dominated front instead
    of the most accurate, a child is within budget and new, and the population follows from the history alone.
    """
    return lambda number: RowSampler(setting, number, partial(_child, setting))


def _child(setting: Setting, rng: np.random.Generator) -> Row:
    evaluated = setting.history.evaluated
    usable = np.flatnonzero(np.isfinite(evaluated.accuracies))
    if len(usable) < _FIRST:
        return draw_untried(setting, rng)
    population = evaluated.some(usable[-_POPULATION:])
    for parent in _tournament(population, setting.objectives.maximise, rng):
        neighbours = setting.domain.feasible.neighbours(population.codes[parent])
        fresh = neighbours[setting.history.untried(neighbours)]
        if len(fresh):
            return np.asarray(fresh[rng.integers(len(fresh))])
    return draw_untried(setting, rng)


def _tournament(population: Evaluated, maximise: tuple[bool, ...], rng: np.random.Generator) -> list[int]:
    """A random few of the population, the foremost first; in random order within a front."""
    some = rng.choice(len(population), size=min(_TOURNAMENT, len(population)), replace=False)
    points = np.column_stack([population.accuracies[some], population.costs[some]])
    return [int(some[place]) for place in np.argsort(ranks(points.tolist(), maximise=maximise), kind="stable")]
