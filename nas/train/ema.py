"""A moving average of weights during training ('Acceleration of Stochastic Approximation by Averaging', 1992)."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn


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
        for average, live in self._pairs():
            average.lerp_(live, 1 - decay)

    @torch.no_grad()
    def write_back(self) -> None:
        """Give the module the averaged weights."""
        for average, live in self._pairs():
            live.copy_(average)

    def _pairs(self) -> zip[tuple[Tensor, Tensor]]:
        return zip(self._average, self._live, strict=True)
