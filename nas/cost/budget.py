"""Budgets: upper limits and ranges on what a network may cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from nas.cost.cost import METRICS, Cost
from nas.errors import BudgetError
from nas.units import format_quantity, parse_quantity, unit_of

LATENCY = "latency@"
"""What the name of a latency begins with; the name of its profile follows."""


def latency_of(profile: str) -> str:
    """The metric of a profile's latency, in milliseconds."""
    return LATENCY + profile


def profile_of(metric: str) -> str | None:
    """The profile that a metric is the latency of; None for a cost that needs no measurement."""
    return metric.removeprefix(LATENCY) if metric.startswith(LATENCY) else None


@dataclass(frozen=True, slots=True)
class Bound:
    """One metric kept between `low` and `high`, both included; a latency in milliseconds, all else in whole numbers."""

    metric: str
    high: float
    low: float = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """'4.5GFLOPs', '4.2..4.5GFLOPs' or, with the profile it is measured by, '8ms@torch-cpu'.

        Raises:
            BudgetError: no unit, an unknown one, two different ones, an empty range, a latency without its profile, or
                a profile for what is not measured.
        """
        amount, at, profile = text.partition("@")
        head, dots, tail = amount.partition("..")
        if dots and not (head.strip() and tail.strip()):
            raise BudgetError(f"{text!r}: a range has two ends, as in '4.2..4.5GFLOPs'; a limit alone is '4.5GFLOPs'")
        high = parse_quantity(tail if dots else head)
        metric = _metric(text, high.metric, profile.strip() if at else None)
        low: float = 0
        if dots:
            lower = parse_quantity(head, default_unit=unit_of(tail))
            if lower.metric != high.metric:
                raise BudgetError(f"{text!r} mixes {lower.metric} and {high.metric}; give each its own --budget")
            low = lower.value
        if low > high.value:
            raise BudgetError(f"{text!r} is empty: its lower end is above its upper end")
        if high.value <= 0:
            raise BudgetError(f"{text!r} leaves nothing to spend; a budget must be above 0")
        return cls(metric, high.value, low)

    @property
    def profile(self) -> str | None:
        """What its latency is measured by; None where nothing is measured."""
        return profile_of(self.metric)

    def overrun(self, value: float) -> float:
        """How far `value` is outside, relative to the bound it misses; at most 0 inside."""
        above = value / self.high - 1
        return above if not self.low else max(above, 1 - value / self.low)

    def __str__(self) -> str:
        unit, where = (self.metric, "") if self.profile is None else ("latency_ms", f"@{self.profile}")
        high = format_quantity(unit, self.high) + where
        return f"{format_quantity(unit, self.low)}..{high}" if self.low else high


def _metric(text: str, metric: str, profile: str | None) -> str:
    """The metric of a bound; raises BudgetError where a profile is missing or has nothing to measure."""
    if metric in METRICS:
        if profile is not None:
            raise BudgetError(f"{text!r}: {metric} need no profile; leave '@{profile}' out")
        return metric
    if not profile:
        raise BudgetError(
            f"{text!r}: a latency needs the profile it is measured by, as in '8ms@torch-cpu' (nas latency --profiles)"
        )
    return latency_of(profile)


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

    @property
    def closed(self) -> Budget:
        """The bounds on what needs no measurement."""
        return Budget(tuple(bound for bound in self.bounds if bound.profile is None))

    @property
    def measured(self) -> tuple[Bound, ...]:
        """The bounds on latencies."""
        return tuple(bound for bound in self.bounds if bound.profile is not None)

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
