"""A table of trained networks, as a search sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nas.errors import BudgetError
from nas.search.bench.table import Table
from nas.search.domain import Candidate
from nas.space.dimension import Ask, Choice, Value
from nas.space.feasible import NOT_ASKED, Codes, Row


class TableRows:
    """The networks of a table that are within a limit."""

    def __init__(self, table: Table, rows: NDArray[np.intp]) -> None:
        """Those of `rows`, by index."""
        self._table = table
        self._codes = table.codes[rows]
        self._places = {name: _places(one) for name, one in table.dimensions.items()}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._codes)

    @property
    def names(self) -> tuple[str, ...]:
        """The decisions."""
        return tuple(self._table.dimensions)

    @property
    def dimensions(self) -> Mapping[str, Choice]:
        """What each can be."""
        return self._table.dimensions

    @property
    def codes(self) -> Codes:
        """All of them."""
        return self._codes

    def costs(self, codes: Codes) -> dict[str, NDArray[np.float64]]:
        """Each metric of networks of the table."""
        rows = [self._table.row_of[code.tobytes()] for code in np.ascontiguousarray(codes, np.int16)]
        return {name: values[rows] for name, values in self._table.costs.items()}

    def encode(self, choices: Mapping[str, Value]) -> Row:
        """The row of a network's choices."""
        return np.array([places[choices[name]] for name, places in self._places.items()], np.int16)

    def decode(self, row: Row) -> dict[str, Value]:
        """The choices of a row; None for a decision that does not arise."""
        answers = zip(self.dimensions.items(), row.tolist(), strict=True)
        return {name: None if code == NOT_ASKED else one.options[code] for (name, one), code in answers}

    def random(self, n: int, rng: np.random.Generator) -> Codes:
        """Independent uniform draws."""
        return np.asarray(self._codes[rng.integers(len(self._codes), size=n)])

    def neighbours(self, row: Row) -> Codes:
        """Those that differ from a row in the fewest decisions: in one, where the table has all combinations."""
        differences = (self._codes != row).sum(axis=1)
        differences[differences == 0] = len(row) + 1
        return np.asarray(self._codes[differences == differences.min()])


class TableDomain:
    """All networks of a table, or those up to a limit of their cost."""

    def __init__(self, table: Table, *, limit: float = math.inf) -> None:
        """Those whose cost (the first of the table's) is at most `limit`."""
        self._table = table
        self.limit = limit

    @property
    def name(self) -> str:
        """The table's name."""
        return self._table.name

    @cached_property
    def dimensions(self) -> Mapping[str, Choice]:
        """The decisions; one that does not arise for some networks can be answered with None."""
        gaps = (self._table.codes == NOT_ASKED).any(axis=0)
        return {
            name: Choice((*one.options, None)) if gap else one
            for (name, one), gap in zip(self._table.dimensions.items(), gaps, strict=True)
        }

    @property
    def is_nested(self) -> bool:
        """Never: all decisions are asked for."""
        return False

    @cached_property
    def feasible(self) -> TableRows:
        """The networks within the limit."""
        return TableRows(self._table, np.flatnonzero(self._table.costs[self._table.cost] <= self.limit))

    def everything(self, most: int) -> Codes | None:
        """The networks within the limit, if there are not more than `most`."""
        return self.feasible.codes if len(self.feasible) <= most else None

    def size(self) -> int:
        """Networks of the table."""
        return len(self._table)

    def build(self, ask: Ask) -> Candidate:
        """The network with these choices, or the nearest one where the table has none: in most decisions the same."""
        table = self._table
        asked = self.feasible.encode({name: ask(name, one) for name, one in self.dimensions.items()})
        row = table.row_of.get(asked.tobytes())
        if row is None:
            row = int(np.argmin((table.codes != asked).sum(axis=1)))
        cost = {name: float(values[row]) for name, values in table.costs.items()}
        return Candidate(
            id=f"row-{row}",
            choices=self.feasible.decode(table.codes[row]),
            cost=cost,
            overrun={table.cost: cost[table.cost] / self.limit - 1} if math.isfinite(self.limit) else {},
            form={"row": row},
        )

    def share(self, cost: Mapping[str, float]) -> float:
        """The part of the limit that a cost uses up; NaN without one."""
        return cost[self._table.cost] / self.limit if math.isfinite(self.limit) else math.nan

    def require_reachable(self) -> None:
        """Raise BudgetError if no network is within the limit."""
        if self._table.costs[self._table.cost].min() > self.limit:
            raise BudgetError(f"{self.name}: no network has {self._table.cost} up to {self.limit:g}")


def _places(dimension: Choice) -> dict[Value, int]:
    return {answer: place for place, answer in enumerate(dimension.options)} | {None: NOT_ASKED}
