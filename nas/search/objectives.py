"""What a search makes good: the accuracy, against no, one or two costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from nas.cost.budget import LATENCY, profile_of
from nas.errors import UserError
from nas.registry import did_you_mean

ACCURACY = "accuracy"
_MOST_COSTS = 2


@dataclass(frozen=True, slots=True)
class Objectives:
    """Accuracy, more of which is better, and costs, less of which is better.

    Attributes:
        costs: the metrics accuracy is traded against; none for the most accurate candidate within the budget.
    """

    costs: tuple[str, ...] = ("flops",)

    @classmethod
    def parse(cls, text: str, *, known: Iterable[str]) -> Self:
        """'accuracy', 'accuracy,flops', 'accuracy,flops,params' or 'accuracy,latency@PROFILE'.

        Args:
            text: names with commas.
            known: the costs there are, besides latencies.

        Raises:
            UserError: an unknown or repeated name, no accuracy, or more than two costs.
        """
        names, metrics = [name.strip() for name in text.split(",")], list(known)
        for name in names:
            if name == LATENCY.rstrip("@") or name == LATENCY:
                raise UserError(f"the objective {name!r} needs the profile it is measured by, as in latency@torch-cpu")
            if name != ACCURACY and name not in metrics and profile_of(name) is None:
                raise UserError(f"unknown objective {name!r}; {did_you_mean(name, [ACCURACY, *metrics, LATENCY])}")
            if names.count(name) > 1:
                raise UserError(f"the objective {name!r} stands twice in {text!r}")
        if ACCURACY not in names:
            raise UserError(f"{text!r} has no accuracy to search for; write '{ACCURACY},{text}'")
        costs = tuple(name for name in names if name != ACCURACY)
        if len(costs) > _MOST_COSTS:
            raise UserError(f"accuracy can be traded against {_MOST_COSTS} costs at most, got {', '.join(costs)}")
        return cls(costs)

    @property
    def names(self) -> tuple[str, ...]:
        """Accuracy first."""
        return (ACCURACY, *self.costs)

    @property
    def maximise(self) -> tuple[bool, ...]:
        """For each objective, whether more of it is better."""
        return (True, *(False for _ in self.costs))

    def point(self, accuracy: float, cost: Mapping[str, float]) -> tuple[float, ...]:
        """The values in the order of `names`."""
        return (accuracy, *(float(cost[name]) for name in self.costs))

    def __str__(self) -> str:
        return ",".join(self.names)
