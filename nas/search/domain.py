"""What a search is over, as everything in this package sees it: a space with its budget, or a table of known networks.

The engine, the samplers and the ledger know a candidate by its id, its choices and its costs; nothing else depends on
where candidates come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nas.records import Plain
from nas.space.dimension import Ask, Dimension, Value
from nas.space.feasible import Codes, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One network that a search may train, with its price.

    Attributes:
        id: equal networks, equal id, however they were chosen.
        choices: the answers that give it, by decision.
        cost: what it costs, by metric.
        overrun: relative excess over each bound of the budget; within budget when every value is at most 0.
        form: its canonical dict, from which a worker can build it.
        refusals: why a runtime could not take it, by metric; such a candidate is over budget.
        foretold: the interval of a predicted latency that is outside its bound, by metric; it was not measured.
    """

    id: str
    choices: Mapping[str, Value]
    cost: Mapping[str, float]
    overrun: Mapping[str, float]
    form: Mapping[str, Plain]
    refusals: Mapping[str, str] = field(default_factory=dict)
    foretold: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_feasible(self) -> bool:
        """Whether it is within budget."""
        return all(excess <= 0 for excess in self.overrun.values())


class Feasible(Protocol):
    """The candidates within budget, as rows of codes."""

    @property
    def names(self) -> Sequence[str]:
        """The decisions, one for each column."""
        ...

    @property
    def dimensions(self) -> Mapping[str, Dimension]:
        """What each decision can be."""
        ...

    def costs(self, codes: Codes) -> Mapping[str, NDArray[np.number]]:
        """Each metric (n,) of candidates (n, decisions)."""
        ...

    def encode(self, choices: Mapping[str, Value]) -> Row:
        """The row of a candidate's choices."""
        ...

    def decode(self, row: Row) -> Mapping[str, Value]:
        """The choices of a row."""
        ...

    def random(self, n: int, rng: np.random.Generator) -> Codes:
        """Independent uniform draws (n, decisions)."""
        ...

    def neighbours(self, row: Row) -> Codes:
        """Candidates (m, decisions) that differ from a row in one decision, or as little as they can; perhaps none."""
        ...


class Domain(Protocol):
    """Where candidates come from."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    @property
    def dimensions(self) -> Mapping[str, Dimension]:
        """Every decision that may be asked for, by name."""
        ...

    @property
    def is_nested(self) -> bool:
        """Whether some decisions are only asked for after certain answers to others."""
        ...

    @property
    def feasible(self) -> Feasible:
        """The candidates within budget."""
        ...

    def everything(self, most: int) -> Codes | None:
        """All candidates within budget, if it is known that there are not more than `most`."""
        ...

    def size(self) -> int:
        """How many candidates there are, whatever they cost."""
        ...

    def build(self, ask: Ask) -> Candidate:
        """The candidate that `ask` describes, one answer a decision; it may be over budget.

        Raises:
            StudyError: the answers belong to no candidate.
        """
        ...

    def share(self, cost: Mapping[str, float]) -> float:
        """The largest part of any bound of the budget that a cost uses up; NaN without bounds."""
        ...

    def require_reachable(self) -> None:
        """Raise BudgetError, with the nearest reachable cost, if nothing is within budget."""
        ...


def distinct(feasible: Feasible, n: int, rng: np.random.Generator) -> Codes:
    """At most `n` different candidates in random order; fewer where half of many draws were repeats."""
    drawn = np.ascontiguousarray(feasible.random(2 * n, rng), np.int16)
    first = {row.tobytes(): place for place, row in reversed(list(enumerate(drawn)))}
    return np.asarray(drawn[sorted(first.values())[:n]])
