"""MogaNet's feature decomposition: what is special at a position or in a channel, made stronger by a learned factor.

'MogaNet: Multi-order Gated Aggregation Network' (arXiv:2211.03295, equations 4 and 8), as its official code has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from nas.cost import Cost, parameter_cost
from nas.errors import FieldError
from nas.layers.base import Activation, Layer, Site, layers
from nas.layers.elementwise import GELU
from nas.layers.pointwise import Pointwise, pointwise_cost

_START = 1e-5


class FeatureDecomposition(nn.Module):
    """x + sigma * (x - summary(x)), sigma learned per channel."""

    def __init__(self, width: int, summary: nn.Module) -> None:
        """All factors start at a hundred-thousandth."""
        super().__init__()
        self.summary = summary
        self.sigma = nn.Parameter(torch.full((width,), _START))

    def reset_parameters(self) -> None:
        """Set all factors to their start value."""
        nn.init.constant_(self.sigma, _START)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        y: Tensor = x + self.sigma[:, None, None] * (x - self.summary(x))
        return y


class MapMean(nn.Module):
    """The mean over all positions, kept as a map of one."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, 1, 1)."""
        return x.mean((2, 3), keepdim=True)


@layers.register("decompose")
@dataclass(frozen=True, kw_only=True)
class Decompose(Layer):
    """x + sigma (x - summary of x), one learned sigma a channel.

    `over` `map`: the summary is each channel's mean over the map. `channels`: it is an activation of a pointwise
    convolution to one channel, the same for all channels of a position.
    """

    over: Literal["map", "channels"] = "map"
    act: Activation = GELU()

    def check(self) -> None:
        """Refuse what would be ignored."""
        if self.over == "map" and self.act != GELU():
            raise FieldError("act", "only a summary over the channels has an activation")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        if self.over == "map":
            return FeatureDecomposition(site.width_in, MapMean())
        summary = nn.Sequential(Pointwise(site.width_in, 1), self.act.build(Site(1, 1, site.size)))
        return FeatureDecomposition(site.width_in, summary)

    def cost(self, site: Site) -> Cost:
        """The factors and the pointwise convolution."""
        if self.over == "map":
            return parameter_cost(site.width_in)
        summary = pointwise_cost(Site(site.width_in, 1, site.size)) + self.act.cost(site)
        return summary + parameter_cost(site.width_in)
