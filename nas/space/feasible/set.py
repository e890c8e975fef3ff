"""The architectures of a space within a budget: counted, drawn and stepped through without being built.

A point of a space is a set of answers, as in `SearchSpace.size`; draws are uniform over the points within budget.
Different answers can give the same architecture, if they differ in what leaves no trace in it, such as the second entry
of a pattern in a stage of one block: it is as many times as likely then, and `draw` and `neighbours` give it once.

A space whose decisions are coupled too much for tables (a part with half a million options, ten thousand combinations
of answers that all stages share) is walked: priced as exactly, but a thousand times slower, and drawn with uniform
answers, by which the points behind an answer that opens many questions are less likely than others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.analysis.intervals import mean_interval, wilson
from nas.architecture import Architecture, estimate
from nas.cost import METRICS, Budget
from nas.errors import BudgetError, MisfitError, UserError
from nas.notebook import heading, table
from nas.space.askers import following, replaying
from nas.space.dimension import Answers, Dimension, Value
from nas.space.extremes import require_reachable
from nas.space.feasible.network_table import NetworkTable
from nas.space.feasible.options import TooManyError
from nas.space.feasible.pricing import COSTS
from nas.space.feasible.rows import NOT_ASKED, Codes, Coding, Row
from nas.space.feasible.sources import Batch, Source, Tabled, Walked
from nas.space.fitting import fitting
from nas.space.root import Root
from nas.space.size import controllers, count_points
from nas.task import Task
from nas.units import format_count, format_quantity

_FIRST_BATCH = 256
_SAMPLED = 200  # points that a notebook shows the costs of
_PATIENCE = 2000  # repeats in a row, at least, before there is nothing new
_LONGEST_STEP = 16  # values of a number, from one to another that makes up for a change
_REPEATS = 20  # for each architecture found: one that is left is missed by so many with a chance of 2e-9


class Count(NamedTuple):
    """How many points are within budget.

    Attributes:
        points: the number, exact or estimated.
        low, high: its 95% interval; the number itself where it is exact.
        is_exact: whether it was counted.
    """

    points: float
    low: float
    high: float
    is_exact: bool

    def __str__(self) -> str:
        if self.is_exact:
            return f"{self.points:,}"
        return f"about {_shown(self.points)} (95% interval {_shown(self.low)} to {_shown(self.high)})"


class FeasibleSet:
    """The points of a space within a budget, as rows of whole numbers: the index of each answer, one column a decision.

    Attributes:
        root: the tree of the space.
        budget: what networks may cost.
        task: what they are priced for.
        walked: why points are walked to one by one and not drawn from tables; None where they are.
    """

    walked: str | None = None

    def __init__(self, root: Root, budget: Budget, task: Task) -> None:
        """Price every part of the space and count what fits together: seconds at most; see `SearchSpace.within`.

        Raises:
            BudgetError: no point is within budget; the message names the nearest costs.
        """
        self.root = root
        self.budget = budget
        self.task = task
        self._coding = Coding(root.dimensions())
        self._source = self._open_source()
        self._prices = self._source.prices
        self._controllers = controllers(root)
        self._require_some()

    def __repr__(self) -> str:
        return f"FeasibleSet({self.root.name!r} within {self.budget})"

    def _repr_html_(self) -> str:
        """How many points there are, and what some of them cost, for a notebook."""
        costs = self.costs(self.random(_SAMPLED, np.random.default_rng(0)))
        task, count = self.task, count_points(self.root)
        said = f"{self.size} of {count:,} points, at {task.resolution}x{task.resolution} with {task.classes} classes"
        quartiles = {name: np.quantile(values, (0, 0.5, 1)) for name, values in costs.items() if name in METRICS}
        rows = [[name, *(format_count(round(one)) for one in found)] for name, found in quartiles.items()]
        title = f"{self.root.name} within {self.budget}"
        return heading(title, said) + table((f"of {_SAMPLED} drawn", "least", "median", "most"), rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The decisions, one a column."""
        return self._coding.names

    @property
    def dimensions(self) -> Mapping[str, Dimension]:
        """The possible answers of each decision."""
        return self._coding.dimensions

    def encode(self, choices: Mapping[str, Value]) -> Row:
        """The row (decisions,) of a set of answers; NOT_ASKED where a decision is not asked.

        Raises:
            UserError: an answer to no question of the space, or one that its question does not allow.
        """
        return self._coding.encode(choices)

    def decode(self, row: NDArray[np.integer]) -> Answers:
        """The answers of a row."""
        return self._coding.decode(row)

    def architecture(self, row: NDArray[np.integer]) -> Architecture:
        """The architecture of a row.

        Raises:
            UserError: the row is no point of the space.
        """
        return self.root.build(replaying(self.decode(row), self.dimensions))

    def costs(self, codes: NDArray[np.integer]) -> Mapping[str, NDArray[np.int64]]:
        """The exact cost of each row of `codes` (n, decisions), by the names of `Cost`; equal to `estimate`.

        Raises:
            UserError: a row is no point of the space.
        """
        priced = self._prices.price(self._prices.find(np.asarray(codes, np.int16)))
        if not priced.valid.all():
            row = int(np.flatnonzero(~priced.valid)[0])
            raise UserError(f"row {row} is no network of {self.root.name}: {self.decode(np.asarray(codes)[row])}")
        return {name: priced.costs[:, place] for place, name in enumerate(COSTS)}

    def random(self, n: int, rng: np.random.Generator) -> Codes:
        """`n` independent points (n, decisions), uniform over the points within budget; some may be the same."""
        found: list[Codes] = []
        for batch in self._stream(rng):
            if sum(map(len, found)) >= n:
                break
            found.append(self._prices.write(batch))
        return np.concatenate([self._no_rows, *found])[:n]

    def draw(self, n: int, rng: np.random.Generator) -> Codes:
        """`n` points (n, decisions) with different architectures: the first ones of a row of uniform draws.

        The same generator gives the same points, and the first of them whatever `n` is.

        Raises:
            BudgetError: there are not as many.
        """
        keys, found = np.zeros(0, np.uint64), [self._no_rows]
        misses = 0
        for batch in self._stream(rng):
            if len(keys) >= n:
                break
            fresh = self._prices.keys(batch)
            _, first = np.unique(fresh, return_index=True)
            new = np.sort(first[~np.isin(fresh[first], keys)])
            found.append(self._prices.write(batch.some(new)))
            keys = np.concatenate([keys, fresh[new]])
            misses = 0 if len(new) else misses + len(fresh)
            if misses >= max(_PATIENCE, _REPEATS * len(keys)):
                raise BudgetError(
                    f"{self.root.name}: only {len(keys)} of {n} distinct architectures within {self.budget} after "
                    f"{misses} draws in a row without a new one; ask for fewer, or widen the budget or the space "
                    f"({count_points(self.root):,} points)"
                )
        return np.concatenate(found)[:n]

    def neighbours(self, row: NDArray[np.integer]) -> Codes:
        """The points within budget that differ from `row` in one answer, (m, decisions), without repeats.

        A change may open decisions that were not asked before; these take their first value. Those that are no longer
        asked are forgotten. Each architecture comes once, and that of `row` not at all.

        Where the budget is a range, another block, mixer or depth would mostly leave it: of 96 changes of the RepViT in
        `studies/promise` 7 stay within 3 %. So a change that leaves a range comes with the smallest step of one number,
        such as a width, that makes up for it, where there is one.
        """
        centre = np.asarray(row, np.int16)
        changed = np.concatenate([self._no_rows, *self._changes(centre)])
        is_within = self._fits(self._prices.find(changed))
        near = np.concatenate([changed[is_within], self._made_up(centre, changed[~is_within])])
        own = self._prices.keys(self._prices.find(centre[None]))
        keys = self._prices.keys(self._prices.find(near))
        _, first = np.unique(keys, return_index=True)
        return np.asarray(near[np.sort(first[keys[first] != own])])

    def _made_up(self, row: Codes, changed: Codes) -> Codes:
        """Those of the changes of `row` that one more step of a number brings back into a range of costs."""
        if self.walked is not None or not any(bound.low for bound in self.budget.bounds):
            return self._no_rows
        found, origins, sizes = [self._no_rows], [np.zeros(0, np.intp)], [np.zeros(0)]
        for column, name in enumerate(self.names):
            dimension = self.dimensions[name]
            if name in self._controllers or not dimension.is_ordered:
                continue
            before, last = changed[:, column], len(dimension) - 1
            is_open = (before != NOT_ASKED) & ((before == row[column]) | (row[column] == NOT_ASKED))
            for step in (sign * size for size in range(1, min(last, _LONGEST_STEP) + 1) for sign in (-1, 1)):
                (origin,) = np.nonzero(is_open & (before + step >= 0) & (before + step <= last))
                rows = changed[origin]
                rows[:, column] += np.int16(step)
                fits = self._fits(self._prices.find(rows))
                found.append(rows[fits])
                origins.append(origin[fits])
                sizes.append(np.full(int(fits.sum()), abs(step) / last))
        origin = np.concatenate(origins)
        order = np.lexsort((np.concatenate(sizes), origin))
        _, smallest = np.unique(origin[order], return_index=True)
        return np.concatenate(found)[order[smallest]]

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
                yield np.stack(
                    [self.encode(self.root.answers(following({**answers, name: values[code]}))) for code in others]
                )

    @cached_property
    def count(self) -> int | None:
        """The exact number of points within budget; None where it cannot be had, see `size`.

        It can be had if no more than one bound matters, in a space whose stages do not have too many different costs.
        """
        return self._source.count()

    @cached_property
    def size(self) -> Count:
        """The number of points within budget: exact, or estimated from draws near the budget."""
        if self.count is not None:
            return Count(self.count, self.count, self.count, is_exact=True)
        draws = self._source.estimated
        drawn = self._source.draw(draws, np.random.default_rng(0))
        stands_for, fits = self._source.stands_for(drawn), self._fits(drawn)
        if (stands_for == stands_for[0]).all():
            share, near = float(fits.mean()), float(stands_for[0])
            ends = wilson(share, draws)
            return Count(near * share, near * ends.low, near * ends.high, is_exact=False)
        counted = (stands_for * fits).tolist()
        ends = mean_interval(counted)
        return Count(fmean(counted), max(0.0, ends.low), ends.high, is_exact=False)

    def ends(self, metric: str) -> tuple[int, int] | None:
        """The smallest and the largest value of a metric in the whole space, exactly; None where it is walked."""
        return self._source.ends(metric)

    @cached_property
    def _no_rows(self) -> Codes:
        return np.zeros((0, len(self.names)), np.int16)

    def _stream(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Uniform points within budget, for ever, in batches that do not depend on how many are wanted.

        Raises:
            BudgetError: too many draws in a row with none within budget.
        """
        size, missed = _FIRST_BATCH, 0
        while True:
            points = self._source.draw(size, rng)
            fits = self._fits(points)
            missed = 0 if fits.any() else missed + size
            if missed > self._source.patience:
                raise BudgetError(f"{self._nothing()} among {missed:,} draws; widen the budget or the space")
            yield points.some(fits)
            size = min(2 * size, self._source.largest_batch)

    def _fits(self, points: Batch) -> NDArray[np.bool_]:
        """Whether each is a network within budget."""
        priced = self._prices.price(points)
        fits = priced.valid
        for bound in self.budget.bounds:
            values = priced.costs[:, COSTS.index(bound.metric)]
            fits = fits & (values >= bound.low) & (values <= bound.high)
        return fits

    def _open_source(self) -> Source[Any]:
        try:
            table = NetworkTable(self.root, self.task, self._coding)
        except TooManyError as error:
            self.walked = str(error)
            return Walked(self.root, self.task, self._coding)
        return Tabled(table, self.budget, count_points(self.root))

    def _require_some(self) -> None:
        """Stop where nothing is within budget.

        Raises:
            BudgetError: with the nearest costs.
        """
        rng = np.random.default_rng(0)
        with suppress(BudgetError):
            if not self._source.is_empty and self._has_some(rng):
                return
        try:
            nearby, _ = fitting(self.root, following({}))
        except MisfitError as error:
            raise BudgetError(f"no answers give a network of {self.root.name}: {error}") from None
        estimate(nearby, nearby.task_of(self.task))  # says so where the resolution is too small for a network
        require_reachable(self.root, self.budget, self.task)
        if not self.budget.bounds:
            raise BudgetError(f"{self._nothing()}: no answers give a network for this task. Raise the resolution.")
        nearest = self._source.nearest()
        if nearest is None:
            raise BudgetError(f"{self._nothing()}; {self._nearest_draw(rng)}. Widen the budget or the space.")
        costs = " and ".join(format_quantity(nearest.metric, one) for one in nearest.costs)
        raise BudgetError(f"{self._nothing()}: the nearest it can reach is {costs}. Widen the budget or the space.")

    def _has_some(self, rng: np.random.Generator) -> bool:
        """Whether a draw is within budget; where the first are not, counting is faster than trying on."""
        first = self._fits(self._source.draw(_FIRST_BATCH, rng)).any()
        return bool(first) or (self.count != 0 and any(len(self._prices.keys(batch)) for batch in self._stream(rng)))

    def _nothing(self) -> str:
        task = self.task
        return (
            f"no architecture of {self.root.name} is within {self.budget} at {task.resolution}x{task.resolution} "
            f"with {task.classes} classes"
        )

    def _nearest_draw(self, rng: np.random.Generator) -> str:
        """The random point that misses the budget by the least."""
        anywhere = type(self)(self.root, Budget(), self.task)
        draws = self._source.estimated
        costs = anywhere.costs(anywhere.random(draws, rng))
        misses = [
            max(self.budget.overrun({name: int(values[row]) for name, values in costs.items()}).values(), default=0.0)
            for row in range(draws)
        ]
        nearest = int(np.argmin(misses))
        reached = " and ".join(
            format_quantity(bound.metric, int(costs[bound.metric][nearest])) for bound in self.budget.bounds
        )
        return f"of {draws:,} random ones the nearest has {reached}"


def _shown(points: float) -> str:
    return f"{points:,.0f}" if points < 1e9 else f"{points:.4g}"
