"""Candidates of a domain as a model sees them, and the pool it is always asked about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nas.search.domain import distinct
from nas.search.samplers.base import Setting
from nas.search.samplers.surrogate.embedding import Array, Embedding
from nas.search.samplers.surrogate.kernel import Inputs
from nas.space.feasible import Codes, Row

ALL = 32_768  # as many candidates are all looked at
DRAWN = 4_096  # at random, of more
NEIGHBOURS = 256  # of one candidate at most
_KEPT = 512  # sets of neighbours: those of the best candidates are wanted again and again
_SMALLEST = 1e-12  # cost, before its logarithm is taken


class Description:
    """How candidates of a domain become inputs: decisions embedded, log costs standardised."""

    def __init__(self, setting: Setting) -> None:
        """Draws the candidates that costs are standardised by, and that fill the pool."""
        self._setting = setting
        feasible = setting.domain.feasible
        self.embedding = Embedding([feasible.dimensions[name] for name in feasible.names])
        everything = setting.domain.everything(ALL)
        self.is_everything = everything is not None
        self.codes: Codes = distinct(feasible, DRAWN, setting.generator("pool")) if everything is None else everything
        logs = _logs(feasible.costs(self.codes))
        self._centre = logs.mean(axis=0)
        deviations = logs.std(axis=0)
        self._unit = np.where(deviations > 0, deviations, 1.0)
        self.pool = self._inputs(self.codes, logs)
        self.log_costs = self.log_costs_of(self.codes)
        self._neighbours = lru_cache(maxsize=_KEPT)(self._find_neighbours)

    def inputs_of(self, codes: Codes) -> Inputs:
        """What the model sees of candidates (n, decisions)."""
        return self._inputs(codes, _logs(self._setting.domain.feasible.costs(codes)))

    def log_costs_of(self, codes: Codes) -> Array:
        """Log costs (n, costs) of the objectives."""
        costs, names = self._setting.domain.feasible.costs(codes), self._setting.objectives.costs
        return log_of(np.stack([costs[name] for name in names], axis=1)) if names else np.zeros((len(codes), 0))

    def neighbours(self, row: Row) -> Codes:
        """Candidates that differ from a row as little as can be: all, or some where there are very many."""
        return self._neighbours(row.tobytes())

    def _find_neighbours(self, row: bytes) -> Codes:
        found = self._setting.domain.feasible.neighbours(np.frombuffer(row, np.int16))
        if len(found) <= NEIGHBOURS:
            return found
        rng = self._setting.generator("neighbours", row.hex())
        return np.asarray(found[rng.choice(len(found), NEIGHBOURS, replace=False)])

    def _inputs(self, codes: Codes, logs: Array) -> Inputs:
        return Inputs(self.embedding.features(codes), (logs - self._centre) / self._unit)


def _logs(costs: Mapping[str, NDArray[np.number]]) -> Array:
    return log_of(np.stack(list(costs.values()), axis=1))


def log_of(costs: NDArray[np.number]) -> Array:
    """Natural logarithms of costs, which may be 0."""
    return np.asarray(np.log(np.maximum(costs.astype(float), _SMALLEST)))
