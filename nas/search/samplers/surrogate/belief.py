"""What the model thinks of the candidates in its pool, after every evaluation so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nas.analysis.pareto import non_dominated
from nas.analysis.running_front import RunningFront
from nas.search.history import Evaluated
from nas.search.objectives import Objectives
from nas.search.samplers.surrogate.description import Description, log_of
from nas.search.samplers.surrogate.embedding import Array
from nas.search.samplers.surrogate.fitting import fit
from nas.search.samplers.surrogate.improvement import Region, expected_hypervolume_improvement
from nas.search.samplers.surrogate.kernel import Kernel
from nas.search.samplers.surrogate.lessons import Scale, chosen, interval
from nas.search.samplers.surrogate.posterior import Posterior
from nas.space.feasible import Codes

_MARGIN = 0.1  # of the range of log costs, from the dearest candidate to the end of the hypervolume


class Scored(NamedTuple):
    """Candidates (n, decisions) and by how much each is expected to enlarge the hypervolume (n,)."""

    codes: Codes
    scores: Array

    def and_then(self, others: Scored) -> Scored:
        """These, then others."""
        return Scored(np.concatenate([self.codes, others.codes]), np.concatenate([self.scores, others.scores]))


class Belief:
    """A model made of the first evaluations and brought up to date with those after them.

    The same evaluations in the same order give the same numbers to the bit, whether they came one by one or all at
    once.
    """

    def __init__(self, objectives: Objectives, description: Description, evaluated: Evaluated, made: int) -> None:
        """Make the model of the first `made` evaluations."""
        self.made = self._seen = made
        self._objectives = objectives
        self._description = description
        first = evaluated.some(slice(made))
        some = first.some(chosen(first, objectives.maximise))
        self._scale = Scale.of(some.accuracies)
        inputs, targets = description.inputs_of(some.codes), self._scale.targets(some.accuracies)
        kernel = Kernel(description.embedding, fit(description.embedding, inputs, targets))
        self._posterior = Posterior(kernel, inputs, targets, room=interval(made))
        self._observed_costs = log_of(some.costs)
        self._posterior.consider(description.pool)
        self._codes, self._costs = description.codes, description.log_costs
        self._front: RunningFront[int] = RunningFront(objectives.maximise)
        self._around: set[bytes] = set()
        for index in _front_of(first, objectives.maximise):
            self._place(first, index)
            self._look_around(first.codes[index])

    def catch_up(self, evaluated: Evaluated) -> None:
        """Take in the evaluations since the last time, one by one."""
        for index in range(self._seen, len(evaluated)):
            here = slice(index, index + 1)
            target = self._scale.targets(evaluated.accuracies[here])[0]
            self._posterior.observe(self._description.inputs_of(evaluated.codes[here]), float(target))
            self._observed_costs = np.concatenate([self._observed_costs, log_of(evaluated.costs[here])])
            if self._place(evaluated, index):
                self._look_around(evaluated.codes[index])
        self._seen = len(evaluated)

    def scored(self, pending: Codes) -> Scored:
        """The whole pool, if the pending candidates (m, decisions) come out as they are expected to."""
        awaited = self._description.inputs_of(pending)
        variances = self._posterior.variances_given(awaited)
        return Scored(self._codes, self._improvement(self._posterior.means, variances, self._costs, pending))

    def scored_around(self, best: Scored, pending: Codes) -> Scored:
        """The neighbours of some candidates, in the same way."""
        near = {one.tobytes(): one for row in best.codes for one in self._description.neighbours(row)}
        codes = np.array([*near.values()], np.int16).reshape(len(near), best.codes.shape[1])
        awaited = self._description.inputs_of(pending)
        means, variances = self._posterior.at(self._description.inputs_of(codes), pending=awaited)
        costs = self._description.log_costs_of(codes)
        return Scored(codes, self._improvement(means, variances, costs, pending))

    def _improvement(self, means: Array, variances: Array, costs: Array, pending: Codes) -> Array:
        return expected_hypervolume_improvement(
            means, np.sqrt(variances), costs, front=self._believed_front(pending), region=self._region()
        )

    def _believed_front(self, pending: Codes) -> tuple[Array, Array]:
        """What the front is without noise, the pending candidates at their means."""
        nothing = self._description.inputs_of(pending[:0])
        expected, _ = self._posterior.at(self._description.inputs_of(pending), pending=nothing)
        accuracies = np.concatenate([self._posterior.fitted(), expected])
        costs = np.concatenate([self._observed_costs, self._description.log_costs_of(pending)])
        on = non_dominated(np.column_stack([accuracies, costs]).tolist(), maximise=self._objectives.maximise)
        return accuracies[on], costs[on]

    def _region(self) -> Region:
        """From the median of what is drawn at random, up to a little beyond the dearest of it."""
        drawn = len(self._description.codes)
        costs = self._costs[:drawn]
        low, high = costs.min(axis=0), costs.max(axis=0)
        ceiling = high + np.maximum(_MARGIN * (high - low), _MARGIN)
        return Region(floor=float(np.median(self._posterior.means[:drawn])), ceiling=ceiling)

    def _place(self, evaluated: Evaluated, index: int) -> bool:
        accuracy = float(evaluated.accuracies[index])
        if np.isnan(accuracy):
            return False
        return self._front.add((accuracy, *evaluated.costs[index].tolist()), index).is_in

    def _look_around(self, row: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        """Take the neighbours of a candidate into the pool."""
        if self._description.is_everything:
            return
        found = [one for one in self._description.neighbours(row) if one.tobytes() not in self._around]
        if not found:
            return
        self._around.update(one.tobytes() for one in found)
        codes = np.array(found)
        self._posterior.consider(self._description.inputs_of(codes))
        self._codes = np.concatenate([self._codes, codes])
        self._costs = np.concatenate([self._costs, self._description.log_costs_of(codes)])


def _front_of(evaluated: Evaluated, maximise: tuple[bool, ...]) -> list[int]:
    """The evaluations that no other one beats as they were seen, noise and all."""
    known = np.flatnonzero(np.isfinite(evaluated.accuracies))
    points = np.column_stack([evaluated.accuracies[known], evaluated.costs[known]])
    return [int(known[place]) for place in non_dominated(points.tolist(), maximise=maximise)]
