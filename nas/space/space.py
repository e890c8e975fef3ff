"""The search space: an immutable tree with its name, its task and the text it was read from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np

from nas.architecture import Architecture
from nas.cost import Budget
from nas.errors import BudgetError, UserError
from nas.notebook import heading, table
from nas.space.dimension import Answers, Ask, Dimension
from nas.space.feasible import FeasibleSet
from nas.space.fitting import fitting
from nas.space.locate import locate
from nas.space.root import Root
from nas.space.size import count_points
from nas.task import Task

_SHOWN = 40  # decisions, in a notebook
_LISTED = 8  # values of one


def _values(dimension: Dimension) -> str:
    """The possible answers, or the first ones and the last."""
    values = [str(one) for one in dimension.values]
    if len(values) > _LISTED:
        values = [*values[: _LISTED - 2], "...", values[-1]]
    return ", ".join(values)


@dataclass(frozen=True, repr=False)
class SearchSpace:
    """What a space file describes.

    Attributes:
        root: what may vary and how.
        about: a sentence for people.
        task: what its networks are priced for unless a command says otherwise.
        text: the file it was read from, word for word.
        is_cut: whether parts may not fit their places (groups that do not divide a width), so that not every set of
            answers is a network.
    """

    root: Root
    about: str
    task: Task
    text: str
    is_cut: bool = False

    @property
    def name(self) -> str:
        """What it is called in tables and messages."""
        return self.root.name

    def __repr__(self) -> str:
        return f"SearchSpace({self.name!r}: {len(self.dimensions())} decisions)"

    def _repr_html_(self) -> str:
        """Its decisions, for a notebook."""
        task, rows = self.task, self.dimensions().items()
        many = "" if self.is_cut else f"; {self.size():,} points"
        priced = f"priced at {task.resolution}x{task.resolution} with {task.classes} classes{many}"
        said = " ".join(filter(None, (self.about, f"({priced})")))
        decisions = ([name, str(len(one)), _values(one)] for name, one in rows)
        return heading(self.name, said) + table(("decision", "values", ""), decisions, most=_SHOWN)

    def build(self, ask: Ask) -> Architecture:
        """The architecture that `ask` describes, one answer a decision.

        Raises:
            FieldError: the answers break a rule that joins several fields; MisfitError where a part does not fit.
        """
        return self.root.build(ask)

    def choices(self, ask: Ask) -> tuple[Architecture, Answers]:
        """The architecture and what was answered, by name; raises as `build` does."""
        return self.root.choices(ask)

    def fitting(self, ask: Ask) -> tuple[Architecture, Answers]:
        """The same or, where parts would not fit their places, those of a point nearby; see `nas.space.fitting`."""
        return fitting(self.root, ask)

    def dimensions(self) -> dict[str, Dimension]:
        """Every question a walk may ask, by name."""
        return self.root.dimensions()

    def size(self) -> int:
        """The exact number of points: different sets of answers a walk can collect, those aside that are no network.

        Where these are aside, it takes seconds; and in a space that is walked (see `nas.space.feasible`) it is an
        estimate.
        """
        return self._networks if self.is_cut else count_points(self.root)

    @cached_property
    def _networks(self) -> int:
        return round(self.within().size.points)

    def contains(self, architecture: Architecture) -> bool:
        """Whether some walk gives this architecture."""
        return self.locate(architecture) is not None

    def locate(self, architecture: Architecture) -> Answers | None:
        """The answers that give `architecture`, or None if it is no point of this space."""
        return locate(self.root, architecture)

    def within(self, budget: Budget | str | Sequence[str] | None = None, *, task: Task | None = None) -> FeasibleSet:
        """The points within a budget: counted, priced, drawn and stepped through without being built.

        Args:
            budget: what a network may cost, as in '4.2..4.5GFLOPs' or `['4.5GFLOPs', '30Mparams']`; None: anything.
            task: what networks are priced for; the space's own where it is left out.

        Raises:
            BudgetError: the budget cannot be read, or no point is within it; the message names the nearest costs.
        """
        limits = budget if isinstance(budget, Budget) else Budget.parse(budget)
        if limits.measured:
            raise BudgetError(
                f"{' and '.join(map(str, limits.measured))}: a latency is measured network by network, as `nas search` "
                "does before it trains one; use FLOPs, params or activations here"
            )
        return self._priced(limits, self.task if task is None else self.require_task(task))

    @cached_property
    def _priced(self) -> Callable[[Budget, Task], FeasibleSet]:
        """The last set is kept: a search asks twice, and to price `modern` takes two seconds of processor time."""
        return lru_cache(maxsize=1)(partial(FeasibleSet, self.root))

    def require_task(self, task: Task) -> Task:
        """The task, if networks can be priced for it.

        Raises:
            UserError: the space decides on the resolution itself.
        """
        if self.searches_resolution and task.resolution != self.task.resolution:
            sides = ", ".join(map(str, self.dimensions()["resolution"].values))
            raise UserError(
                f"the resolution is a decision of {self.name} ({sides}); to price at another, write it into the space"
            )
        return task

    @property
    def searches_resolution(self) -> bool:
        """Whether the resolution of the task is a decision."""
        return "resolution" in self.dimensions()

    def sample(
        self, n: int, budget: Budget | str | Sequence[str] | None = None, seed: int = 0, *, task: Task | None = None
    ) -> list[Architecture]:
        """`n` distinct architectures within budget, uniform over the points within it; see `within`.

        Raises:
            BudgetError: there are not as many, or none; the message says how near the space comes.
        """
        feasible = self.within(budget, task=task)
        return [feasible.architecture(row) for row in feasible.draw(n, np.random.default_rng(seed))]
