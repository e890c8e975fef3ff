"""Candidates with a guess of their latency, for samplers that compare networks which nobody has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.command_line import command_line
from nas.errors import UserError
from nas.search.domain import Feasible
from nas.space.dimension import Dimension, Value
from nas.space.feasible import Codes, Row

LEAST = 20
"""Measured networks without which there is no guess."""

_COSTS = ("flops", "activations")


class Guide(NamedTuple):
    """A measured network."""

    flops: float
    activations: float
    ms: float


class PowerGuess:
    """Milliseconds as a product of powers of FLOPs and activations, which are known for any number of networks."""

    def __init__(self, guides: Sequence[Guide]) -> None:
        """Least squares of the logarithms over measured networks."""
        table = self._table({name: np.array([getattr(one, name) for one in guides], float) for name in _COSTS})
        self._weights = np.linalg.lstsq(table, np.log([one.ms for one in guides]), rcond=None)[0]

    def __call__(self, costs: Mapping[str, NDArray[np.number]]) -> NDArray[np.float64]:
        """Milliseconds (n,) of n networks with these costs (n,)."""
        return np.asarray(np.exp(self._table(costs) @ self._weights))

    @staticmethod
    def _table(costs: Mapping[str, NDArray[np.number]]) -> NDArray[np.float64]:
        columns = [np.log(np.maximum(np.asarray(costs[name], float), 1.0)) for name in _COSTS]
        return np.stack([*columns, np.ones_like(columns[0])], axis=1)


class GuidedSet:
    """The candidates of another set, whose costs have latencies among them."""

    def __init__(self, inner: Feasible, guesses: Mapping[str, PowerGuess]) -> None:
        """Guesses by metric."""
        self._inner = inner
        self._guesses = guesses

    @property
    def names(self) -> Sequence[str]:
        """See `Feasible`."""
        return self._inner.names

    @property
    def dimensions(self) -> Mapping[str, Dimension]:
        """See `Feasible`."""
        return self._inner.dimensions

    def costs(self, codes: Codes) -> Mapping[str, NDArray[np.number]]:
        """Each metric (n,), latencies guessed."""
        known = self._inner.costs(codes)
        return {**known, **{metric: guess(known) for metric, guess in self._guesses.items()}}

    def encode(self, choices: Mapping[str, Value]) -> Row:
        """See `Feasible`."""
        return self._inner.encode(choices)

    def decode(self, row: Row) -> Mapping[str, Value]:
        """See `Feasible`."""
        return self._inner.decode(row)

    def random(self, n: int, rng: np.random.Generator) -> Codes:
        """See `Feasible`."""
        return self._inner.random(n, rng)

    def neighbours(self, row: Row) -> Codes:
        """See `Feasible`."""
        return self._inner.neighbours(row)


def require_enough(found: int, metric: str, space: str) -> None:
    """Refuse to guess from nothing; raises UserError with the command that helps."""
    if found < LEAST:
        profile = metric.partition("@")[2]
        measuring = command_line("calibrate", "--space", space, "--profile", profile, "-n", str(LEAST))
        raise UserError(
            f"the objective {metric} is searched by what was measured of other networks, and there are {found} records "
            f"of {LEAST}; first: {measuring}"
        )
