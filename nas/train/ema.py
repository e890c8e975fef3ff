"""A moving average of weights during training ('Acceleration of Stochastic Approximation by Averaging', 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import nn


class WeightAverage:
    """An exponential moving average of a module's parameters and floating-point buffers.

    The decay starts low, (1 + t) / (10 + t) after t updates, so that a short run is not averaged with its random start.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Start from the weights as they are; `decay` in [0, 1) is what it comes to in the end."""
        self.decay = decay
        self.updates = 0
        self._live = [tensor for tensor in chain(model.parameters(), model.buffers()) if tensor.is_floating_point()]
        self._average = [tensor.detach().clone() for tensor in self._live]

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        torch._foreach_lerp_(self._average, [one.detach() for one in self._live], 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Lend the module the averaged weights inside the block, to be judged or kept."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def write_back(self) -> None:
        """Give the module the averaged weights for good."""
        for average, live in zip(self._average, self._live, strict=True):
            live.copy_(average)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` reads."""
        return {"updates": self.updates, "average": self._average}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another average of the same module was."""
        self.updates = state["updates"]
        for average, kept in zip(self._average, state["average"], strict=True):
            average.copy_(kept)

    @torch.no_grad()
    def _exchange(self) -> None:
        for average, live in zip(self._average, self._live, strict=True):
            kept = live.clone()
            live.copy_(average)
            average.copy_(kept)
