"""One open decision of a space, and the question that is asked about it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Value = None | bool | int | float | str
"""An answer: a scalar; a choice between parts is answered by the label of the part."""

Answers = dict[str, Value]
"""The answers of a walk, by the names of the decisions."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values, without an order that means anything unless all are numbers."""

    options: tuple[Value, ...]

    @property
    def values(self) -> Sequence[Value]:
        """Every possible answer."""
        return self.options

    @property
    def is_ordered(self) -> bool:
        """Whether distance between values means something."""
        return all(isinstance(one, int | float) and not isinstance(one, bool) for one in self.options)

    def draw(self, rng: random.Random) -> Value:
        """A uniform answer."""
        return self.options[rng.randrange(len(self.options))]

    def index(self, value: Value) -> int:
        """The position of an answer; raises ValueError where it is none. True is no 1."""
        for position, option in enumerate(self.options):
            if option == value and isinstance(option, bool) == isinstance(value, bool):
                return position
        raise ValueError(f"{value!r} is none of {self.options}")

    def __len__(self) -> int:
        return len(self.options)


@dataclass(frozen=True, slots=True)
class Range:
    """A whole number from `low` to `high`, both included, in steps."""

    low: int
    high: int
    step: int = 1

    @property
    def values(self) -> Sequence[int]:
        """Every possible answer."""
        return range(self.low, self.high + 1, self.step)

    @property
    def is_ordered(self) -> bool:
        """Always."""
        return True

    def draw(self, rng: random.Random) -> int:
        """A uniform answer."""
        return self.low + self.step * rng.randrange(len(self))

    def index(self, value: Value) -> int:
        """The position of an answer; raises ValueError where it is none."""
        if isinstance(value, bool):
            raise ValueError(f"{value!r} is no whole number")
        return self.values.index(value)

    def __len__(self) -> int:
        return (self.high - self.low) // self.step + 1


Dimension = Choice | Range

Ask = Callable[[str, Dimension], Value]
"""`ask(name, dimension) -> value`: the only thing in which the users of a walk differ."""
