"""The architectures of a space within a budget: counted, drawn and stepped through without being built.

A point of a space is a set of answers, as in `SearchSpace.size`; draws are uniform over the points within budget.
Different answers can give the same architecture, if they differ in what leaves no trace in it, such as the second entry
of a pattern in a stage of one block: it is as many times as likely then, and `draw` and `neighbours` give it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture
from nas.cost import Budget
from nas.errors import BudgetError, UserError
from nas.space.askers import following, replaying
from nas.space.coding import NOT_ASKED, Codes, Coding
from nas.space.counting import controllers
from nas.space.dimension import Dimension, Value
from nas.space.lattice import Lattice
from nas.space.lots import COSTS
from nas.space.proposals import Proposals
from nas.space.space import SearchSpace
from nas.space.tables import Points, SpaceTables
from nas.space.tree import Walk
from nas.task import Task

_FIRST_BATCH, _LARGEST_BATCH = 256, 16_384
_PATIENCE = 2000  # draws in a row without a new architecture


class FeasibleSet:
    """The points of a space within a budget."""

    def __init__(self, space: SearchSpace, budget: Budget | str | None = None, task: Task | None = None) -> None:
        """Price every part of the space and count what fits together: seconds at most.

        Raises:
            BudgetError: no point is within budget; the message names the nearest costs.
        """
        self.space = space
        self.budget = budget if isinstance(budget, Budget) else Budget.parse(budget)
        self.task = task or space.task
        self._coding = Coding(space.dimensions())
        self._tables = SpaceTables(space, self.task, self._coding)
        self._proposals = self._proposing()
        self._controllers = controllers(space)

    @property
    def names(self) -> tuple[str, ...]:
        """The decisions, one a column."""
        return self._coding.names

    @property
    def dimensions(self) -> Mapping[str, Dimension]:
        """The possible answers of each decision."""
        return self._coding.dimensions

    def encode(self, choices: Mapping[str, Value]) -> Codes:
        """The row (decisions,) of a set of answers: the index of each answer, -1 where a decision is not asked.

        Raises:
            UserError: an answer to no question of the space, or one that its question does not allow.
        """
        return self._coding.encode(choices)

    def decode(self, row: NDArray[np.integer]) -> dict[str, Value]:
        """The answers of a row."""
        return self._coding.decode(row)

    def architecture(self, row: NDArray[np.integer]) -> Architecture:
        """The architecture of a row.

        Raises:
            UserError: the row is no point of the space.
        """
        return self.space.build(replaying(self.decode(row), self.dimensions))

    def costs(self, codes: NDArray[np.integer]) -> Mapping[str, NDArray[np.int64]]:
        """The exact cost of each row of `codes` (n, decisions), by the names of `Cost`; equal to `estimate`.

        Raises:
            UserError: a row is no point of the space.
        """
        priced = self._tables.price(self._tables.find(np.asarray(codes, np.int16)))
        if not priced.valid.all():
            row = int(np.flatnonzero(~priced.valid)[0])
            raise UserError(f"row {row} is no network of {self.space.name}: {self.decode(np.asarray(codes)[row])}")
        return {name: priced.costs[:, place] for place, name in enumerate(COSTS)}

    def random(self, n: int, rng: np.random.Generator) -> Codes:
        """`n` independent points (n, decisions), uniform over the points within budget; some may be the same."""
        found: list[Codes] = []
        for batch in self._stream(rng):
            if sum(map(len, found)) >= n:
                break
            found.append(self._tables.write(batch))
        return np.concatenate([self._no_rows, *found])[:n]

    def draw(self, n: int, rng: np.random.Generator) -> Codes:
        """`n` points (n, decisions) with different architectures: the first ones of a row of uniform draws.

        The same generator gives the same points, and the first of them whatever `n` is.

        Raises:
            BudgetError: after two thousand draws in a row without a new one.
        """
        keys, found = np.zeros(0, np.uint64), [self._no_rows]
        misses = 0
        for batch in self._stream(rng):
            if len(keys) >= n:
                break
            fresh = self._tables.keys(batch)
            _, first = np.unique(fresh, return_index=True)
            new = np.sort(first[~np.isin(fresh[first], keys)])
            found.append(self._tables.write(batch.some(new)))
            keys = np.concatenate([keys, fresh[new]])
            misses = 0 if len(new) else misses + len(fresh)
            if misses >= _PATIENCE:
                raise BudgetError(
                    f"{self.space.name}: only {len(keys)} of {n} distinct architectures within {self.budget} after "
                    f"{misses} draws in a row without a new one; ask for fewer, or widen the budget or the space "
                    f"({self.space.size()} points)"
                )
        return np.concatenate(found)[:n]

    def neighbours(self, row: NDArray[np.integer]) -> Codes:
        """The points within budget that differ from `row` in one answer, (m, decisions), without repeats.

        A change may open decisions that were not asked before; these take their first value. Those that are no longer
        asked are forgotten. Each architecture comes once, and that of `row` not at all.
        """
        changed = np.concatenate([self._no_rows, *self._changes(np.asarray(row, np.int16))])
        points = self._tables.find(changed)
        fits = np.flatnonzero(self._fits(points))
        own = self._tables.keys(self._tables.find(np.asarray(row, np.int16)[None]))
        keys = self._tables.keys(points.some(fits))
        _, first = np.unique(keys, return_index=True)
        return np.asarray(changed[fits[np.sort(first[keys[first] != own])]])

    def _changes(self, row: Codes) -> Iterator[Codes]:
        answers = self.decode(row)
        for column, name in enumerate(self.names):
            others = [code for code in range(len(self.dimensions[name])) if code != row[column] != NOT_ASKED]
            if others and name not in self._controllers:
                rows = np.repeat(row[None], len(others), axis=0)
                rows[:, column] = others
                yield rows
            elif others:
                values = self.dimensions[name].values
                yield np.stack([self._walked({**answers, name: values[code]}) for code in others])

    def _walked(self, answers: Mapping[str, Value]) -> Codes:
        walk = Walk(following(answers))
        self.space.resolve(walk)
        return self.encode(walk.answers)

    @cached_property
    def _no_rows(self) -> Codes:
        return np.zeros((0, len(self.names)), np.int16)

    def _stream(self, rng: np.random.Generator) -> Iterator[Points]:
        """Uniform points within budget, for ever, in batches whose sizes are always the same."""
        size = _FIRST_BATCH
        while True:
            points = self._proposals.draw(size, rng)
            yield points.some(self._fits(points))
            size = min(2 * size, _LARGEST_BATCH)

    def _fits(self, points: Points) -> NDArray[np.bool_]:
        priced = self._tables.price(points)
        fits = priced.valid
        for bound in self.budget.bounds:
            values = priced.costs[:, COSTS.index(bound.metric)]
            fits &= (values >= bound.low) & (values <= bound.high)
        return fits

    def _proposing(self) -> Proposals:
        bounds = self.budget.bounds
        if not bounds:
            return Proposals(Lattice(self._tables, None), 0, 0)
        made = [Proposals(Lattice(self._tables, one.metric), one.low, one.high) for one in bounds]
        return min(made, key=lambda one: one.count)
