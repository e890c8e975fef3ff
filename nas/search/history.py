"""A study's trials as arrays, kept up to date so that a sampler never walks through all of them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.records import Failure, TrialRecord, TrialState
from nas.space.feasible import Codes, Row

_FIRST_SPACE = 64
_SPEAKS_OF_THE_NETWORK = (Failure.DIVERGED, Failure.OUT_OF_MEMORY)
"""Failures that another attempt would repeat; a lost machine or a missing file says nothing about a candidate."""


class Evaluated(NamedTuple):
    """Candidates that were trained, in the order in which their results came.

    Attributes:
        codes: (n, decisions).
        costs: (n, costs) of the objectives.
        accuracies: (n,), NaN where the training failed by the candidate's own fault.
    """

    codes: Codes
    costs: NDArray[np.float64]
    accuracies: NDArray[np.float64]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.accuracies)

    def some(self, which: slice | NDArray[np.intp]) -> Evaluated:
        """Those of an index."""
        return Evaluated(self.codes[which], self.costs[which], self.accuracies[which])


class History:
    """What has been asked for and what came of it; the same for the same records, whenever they are added."""

    def __init__(self, decisions: int, costs: Sequence[str]) -> None:
        """Nothing has been asked yet.

        Args:
            decisions: columns of a row.
            costs: the metrics among the objectives.
        """
        self._costs = tuple(costs)
        self._codes = np.empty((_FIRST_SPACE, decisions), np.int16)
        self._prices = np.empty((_FIRST_SPACE, len(self._costs)))
        self._accuracies = np.empty(_FIRST_SPACE)
        self._count = 0
        self._tried: set[bytes] = set()
        self._pending: dict[int, tuple[Row, NDArray[np.float64]]] = {}

    @property
    def evaluated(self) -> Evaluated:
        """What was trained, failures by a candidate's own fault included; views, not to be written to."""
        count = self._count
        return Evaluated(self._codes[:count], self._prices[:count], self._accuracies[:count])

    @property
    def pending(self) -> tuple[Codes, NDArray[np.float64]]:
        """Rows (m, decisions) and costs (m, costs) of what is asked for and not told yet, by number."""
        rows = [row for row, _ in self._pending.values()]
        prices = [prices for _, prices in self._pending.values()]
        return (
            np.array(rows, np.int16).reshape(len(rows), self._codes.shape[1]),
            np.array(prices, float).reshape(len(rows), len(self._costs)),
        )

    def was_tried(self, row: Row) -> bool:
        """Whether these very choices were asked for before."""
        return _key(row) in self._tried

    def untried(self, codes: Codes) -> NDArray[np.bool_]:
        """Which of the candidates (n, decisions) were never asked for, (n,)."""
        return np.fromiter((_key(row) not in self._tried for row in codes), bool, len(codes))

    def ask(self, number: int, row: Row, cost: Mapping[str, float]) -> None:
        """A candidate was asked for; a latency that was not measured, for it is over another bound, is NaN."""
        self._tried.add(_key(row))
        self._pending[number] = (
            row.astype(np.int16),
            np.array([float(cost.get(name, np.nan)) for name in self._costs]),
        )

    def tell(self, record: TrialRecord) -> None:
        """What became of a candidate that was asked for."""
        row, prices = self._pending.pop(record.number)
        accuracy = learnt(record)
        if accuracy is None:
            return
        if self._count == len(self._accuracies):
            self._grow()
        self._codes[self._count] = row
        self._prices[self._count] = prices
        self._accuracies[self._count] = accuracy
        self._count += 1

    def _grow(self) -> None:
        self._codes, self._prices, self._accuracies = (
            np.concatenate([array, np.empty_like(array)]) for array in (self._codes, self._prices, self._accuracies)
        )


def learnt(record: TrialRecord) -> float | None:
    """The accuracy of a trial, NaN for a failure of the network itself, None where nothing was learnt about it."""
    evaluation = record.evaluation
    if record.state is TrialState.QUEUED or evaluation is None:
        return None
    if evaluation.accuracy is not None:
        return evaluation.accuracy
    return float("nan") if evaluation.failure in _SPEAKS_OF_THE_NETWORK else None


def _key(row: Row) -> bytes:
    return row.astype(np.int16).tobytes()
