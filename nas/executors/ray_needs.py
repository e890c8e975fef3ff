"""What one worker takes of a node, and how many of them a node has room for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from nas.errors import UserError

_ALMOST = 1e-9  # 0.1 goes ten times into 1


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What Ray sets aside for one worker.

    Attributes:
        cpus: cores, or a fraction of one.
        gpus: a fraction of one, or a whole number.
        resources: of the cluster's custom resources, by name.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    resources: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.cpus > 0 and self.gpus >= 0 and all(amount > 0 for amount in self.resources.values())):
            raise UserError(f"a worker needs more than nothing of each resource, got {self}")
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise UserError(f"gpus_per_worker must be a fraction of one or a whole number, got {self.gpus}")

    @property
    def threads(self) -> int:
        """Threads of numeric libraries in the worker."""
        return max(1, int(self.cpus))

    def room(self, resources: Mapping[str, float]) -> int:
        """How many workers a node of these resources has room for."""
        amounts = {"CPU": self.cpus, **self.resources}
        fits = [_times(resources.get(name, 0.0), amount) for name, amount in amounts.items()]
        if self.gpus >= 1:
            fits.append(_times(resources.get("GPU", 0.0), self.gpus))
        elif self.gpus:  # a worker's share is always of one device
            fits.append(int(resources.get("GPU", 0.0)) * _times(1.0, self.gpus))
        return min(fits)

    def __str__(self) -> str:
        amounts = {"CPU": self.cpus, "GPU": self.gpus, **self.resources}
        return " + ".join(f"{amount:g} {name}" for name, amount in amounts.items() if amount)


def _times(whole: float, part: float) -> int:
    return math.floor(whole / part + _ALMOST)
