"""The decisions of a set of candidates as columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.analysis.ranking import Values
from nas.records import Plain

Table = NDArray[np.float64]
"""(n, columns), a row a candidate."""

NOT_ASKED = -1
MOST_LEVELS = 8
"""Values of a decision that are looked at one by one; more of them, if they are numbers, in `GROUPS`."""
GROUPS = 4
_STAGE = re.compile(r"^stages\.\d+\.")


@dataclass(frozen=True, slots=True)
class Level:
    """A value of a decision, or neighbouring values of one that has many.

    Attributes:
        label: what tables call it: the value, or `low..high`.
        values: that it stands for.
    """

    label: str
    values: tuple[Plain, ...]


@dataclass(frozen=True, eq=False)
class Factor:
    """One decision.

    Attributes:
        name: of the decision.
        levels: its values among the candidates, in order; at least two.
        codes: (n,) which level each candidate has; NOT_ASKED where the decision does not exist for it.
    """

    name: str
    levels: tuple[Level, ...]
    codes: NDArray[np.intp]

    @property
    def counts(self) -> NDArray[np.intp]:
        """(levels,) candidates of each."""
        return np.bincount(self.codes[self.codes != NOT_ASKED], minlength=len(self.levels))

    def level_of(self, value: Plain) -> int:
        """Which level a value is of; NOT_ASKED for one that no candidate had."""
        key = _key(value)
        places = (place for place, level in enumerate(self.levels) if key in map(_key, level.values))
        return next(places, NOT_ASKED)

    @property
    def contrasts(self) -> Table:
        """(levels, levels - 1): level by level its part in the columns; the sum over the levels is 0."""
        return np.vstack([np.eye(len(self.levels) - 1), -np.ones(len(self.levels) - 1)])

    @property
    def columns(self) -> Table:
        """(n, levels - 1); 0 where the decision is not asked, so that a branch is worth what its average is."""
        return np.where(self.codes[:, None] == NOT_ASKED, 0.0, self.contrasts[self.codes])


def factors(decisions: Sequence[Mapping[str, Plain]]) -> list[Factor]:
    """Every decision with two values or more among the candidates, by name."""
    names = sorted({name for one in decisions for name in one})
    found = []
    for name in names:
        values = [one[name] for one in decisions if name in one]
        levels = _levels(sorted(dict.fromkeys(map(_key, values))))
        if len(levels) > 1:
            place = {_key(value): index for index, level in enumerate(levels) for value in level.values}
            codes = [place[_key(one[name])] if name in one else NOT_ASKED for one in decisions]
            found.append(Factor(name, tuple(levels), np.array(codes, np.intp)))
    return found


def family_of(name: str) -> str | None:
    """What the same decision of all stages is called, `stages.*.depth`; None where it is not asked stage by stage."""
    return _STAGE.sub("stages.*.", name) if _STAGE.match(name) else None


def matching(name: str, names: Sequence[str]) -> list[str]:
    """The decisions that a user means: by full name, by family, or by the last words of it, as in `kernel`."""
    exact = [one for one in names if name in (one, family_of(one))]
    return exact or [one for one in names if one.endswith(f".{name}")]


@dataclass(frozen=True, slots=True)
class CostScale:
    """The logarithm of a cost, standardised, and its square about its mean.

    The square, because accuracy flattens as cost grows, and decisions that set the cost would get the blame.
    """

    mean: float
    spread: float
    square: float

    @classmethod
    def of(cls, cost: Values) -> CostScale:
        """The scale on which some candidates (n,) have mean 0 and deviation 1."""
        logs = np.log(np.maximum(cost, 1e-12))
        spread = float(logs.std()) or 1.0
        mean = float(logs.mean()) if len(logs) else 0.0
        return cls(mean, spread, float((((logs - mean) / spread) ** 2).mean()) if len(logs) else 0.0)

    def columns(self, cost: Values) -> Table:
        """(n,) -> (n, 2)."""
        standard = (np.log(np.maximum(cost, 1e-12)) - self.mean) / self.spread
        return np.stack([standard, standard**2 - self.square], axis=1)


def log_cost(cost: Values) -> Table:
    """(n,) -> (n, 2): the columns of costs on their own scale."""
    return CostScale.of(cost).columns(cost)


def _levels(keys: Sequence[tuple[Any, ...]]) -> list[Level]:
    values = [key[-1] for key in keys]
    if len(values) > MOST_LEVELS and all(_is_number(value) for value in values):
        parts = [part for part in np.array_split(np.arange(len(values)), GROUPS) if len(part)]
        groups = [tuple(values[index] for index in part) for part in parts]
        return [Level(f"{group[0]}..{group[-1]}" if len(group) > 1 else str(group[0]), group) for group in groups]
    return [Level("null" if value is None else str(value), (value,)) for value in values]


def _key(value: Plain) -> tuple[Any, ...]:
    """Sorts numbers by size and before words; True is no 1."""
    if value is None:
        return (0, 0.0, "", None)
    if _is_number(value):
        return (1, float(value), "", value)
    return (2, 0.0, str(value), value)


def _is_number(value: Plain) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
