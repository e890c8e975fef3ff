"""From a history to the next candidate."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from threadpoolctl import ThreadpoolController

from nas.search.domain import distinct
from nas.search.history import Evaluated
from nas.search.samplers.base import Setting
from nas.search.samplers.surrogate.belief import Belief, Scored
from nas.search.samplers.surrogate.description import Description
from nas.search.samplers.surrogate.design import spread_out
from nas.search.samplers.surrogate.kernel import Inputs
from nas.search.samplers.surrogate.lessons import FIRST, last_remake
from nas.search.samplers.uniform import draw_untried
from nas.space.feasible import Codes, Row

_DESIGN = 10  # candidates before the model is asked
_DESIGNED_FROM = 500
_ROUNDS = 2  # of looking around the best ones, where not everything is in the pool
_BEST = 4


class Surrogate:
    """Asks a model of accuracy for the candidate that is expected to enlarge the hypervolume most.

    What it keeps from ask to ask saves time only: all of it follows from the study's seed and the history.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._belief: Belief | None = None
        self._threads = ThreadpoolController()

    def choose(self, number: int, rng: np.random.Generator) -> Row:
        """The candidate for trial `number`."""
        history = self._setting.history
        if number < len(self._design):
            planned: Row = self._design[number]
            return draw_untried(self._setting, rng) if history.was_tried(planned) else planned
        evaluated = history.evaluated
        if len(evaluated) < FIRST or np.isnan(evaluated.accuracies).all():
            return draw_untried(self._setting, rng)
        # One thread: for matrices of this size more cost more, and sums must not depend on how many there are.
        with self._threads.limit(limits=1):
            return self._most_promising(evaluated, rng)

    def _most_promising(self, evaluated: Evaluated, rng: np.random.Generator) -> Row:
        belief = self._believed(evaluated)
        pending, _ = self._setting.history.pending
        best = self._untried(belief.scored(pending))
        for _ in range(0 if self._description.is_everything else _ROUNDS):
            around = self._untried(belief.scored_around(best, pending))
            best = _foremost(best.and_then(around))
        return best.codes[0] if len(best.codes) else draw_untried(self._setting, rng)

    def _believed(self, evaluated: Evaluated) -> Belief:
        made = last_remake(len(evaluated))
        if self._belief is None or self._belief.made != made:
            self._belief = Belief(self._setting.objectives, self._description, evaluated, made)
        self._belief.catch_up(evaluated)
        return self._belief

    def _untried(self, scored: Scored) -> Scored:
        """The best candidates that were never asked for, the very best first."""
        order = np.argsort(-scored.scores, kind="stable")
        found: list[int] = []
        for index in order.tolist():
            if not self._setting.history.was_tried(scored.codes[index]):
                found.append(index)
                if len(found) == _BEST:
                    break
        return Scored(scored.codes[found], scored.scores[found])

    @cached_property
    def _description(self) -> Description:
        return Description(self._setting)

    @cached_property
    def _design(self) -> Codes:
        """The first candidates of the study."""
        codes = distinct(self._setting.domain.feasible, _DESIGNED_FROM, self._setting.generator("design"))
        inputs = self._description.inputs_of(codes)
        costs = self._description.log_costs_of(codes)
        return codes[spread_out(Inputs(inputs.features, costs), self._description.embedding.scale, _DESIGN)]


def _foremost(scored: Scored) -> Scored:
    order = np.argsort(-scored.scores, kind="stable")[:_BEST]
    return Scored(scored.codes[order], scored.scores[order])
