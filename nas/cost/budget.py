"""Budgets: upper limits and ranges on what a network may cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from nas.cost.cost import METRICS, Cost
from nas.errors import BudgetError
from nas.units import format_quantity, parse_quantity, unit_of


@dataclass(frozen=True, slots=True)
class Bound:
    """One metric kept between `low` and `high`, both included."""

    metric: str
    high: int
    low: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """'4.5GFLOPs' or '4.2..4.5GFLOPs'.

        Raises:
            BudgetError: no unit, an unknown one, two different ones, an empty range, or a metric that needs measuring.
        """
        head, dots, tail = text.partition("@")[0].partition("..")
        if dots and not (head.strip() and tail.strip()):
            raise BudgetError(f"{text!r}: a range has two ends, as in '4.2..4.5GFLOPs'; a limit alone is '4.5GFLOPs'")
        high = parse_quantity(tail if dots else head)
        if high.metric not in METRICS or "@" in text:
            raise BudgetError(f"{text!r}: latency budgets need a measured device profile, and there is none yet; "
                              "use FLOPs, params or activations")  # fmt: skip
        low = 0
        if dots:
            lower = parse_quantity(head, default_unit=unit_of(tail))
            if lower.metric != high.metric:
                raise BudgetError(f"{text!r} mixes {lower.metric} and {high.metric}; give each its own --budget")
            low = int(lower.value)
        if low > high.value:
            raise BudgetError(f"{text!r} is empty: its lower end is above its upper end")
        if high.value <= 0:
            raise BudgetError(f"{text!r} leaves nothing to spend; a budget must be above 0")
        return cls(high.metric, int(high.value), low)

    def overrun(self, value: float) -> float:
        """How far `value` is outside, relative to the bound it misses; at most 0 inside."""
        above = value / self.high - 1
        return above if not self.low else max(above, 1 - value / self.low)

    def __str__(self) -> str:
        high = format_quantity(self.metric, self.high)
        return f"{format_quantity(self.metric, self.low)}..{high}" if self.low else high


@dataclass(frozen=True, slots=True)
class Budget:
    """Several bounds that must all hold; none at all allows everything."""

    bounds: tuple[Bound, ...] = ()

    @classmethod
    def parse(cls, texts: str | Iterable[str] | None) -> Self:
        """Read one budget or several.

        Raises:
            BudgetError: one cannot be read, has no unit, or two are on one metric, which asks for a range.
        """
        if isinstance(texts, int | float):
            raise BudgetError(f"the budget {texts} has no unit; write it as text, as in '4.5GFLOPs'")
        bounds = tuple(Bound.parse(text) for text in ([texts] if isinstance(texts, str) else texts or ()))
        metrics = [bound.metric for bound in bounds]
        for metric in metrics:
            if metrics.count(metric) > 1:
                raise BudgetError(f"two budgets on {metric}; write one, or a range such as '4.2..4.5GFLOPs'")
        return cls(bounds)

    def overrun(self, cost: Cost | Mapping[str, float]) -> dict[str, float]:
        """Relative excess over each bound, by metric; the cost is within budget when every value is at most 0."""
        value = cost.__getitem__ if isinstance(cost, Mapping) else lambda metric: getattr(cost, metric)
        return {bound.metric: bound.overrun(value(bound.metric)) for bound in self.bounds}

    def allows(self, cost: Cost | Mapping[str, float]) -> bool:
        """Whether every bound holds."""
        return all(excess <= 0 for excess in self.overrun(cost).values())

    def share(self, cost: Cost | Mapping[str, float]) -> float:
        """The largest part of any bound that the cost uses up; 1.0 is exactly at the limit, NaN without bounds."""
        value = cost.__getitem__ if isinstance(cost, Mapping) else lambda metric: getattr(cost, metric)
        return max((value(bound.metric) / bound.high for bound in self.bounds), default=math.nan)

    def __str__(self) -> str:
        return " and ".join(map(str, self.bounds)) or "no budget"
