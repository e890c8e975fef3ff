"""Heads: from the last map to logits."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from nas.cost import NOTHING, Cost, linear_cost
from nas.layers.base import Head, Norm, Site, heads
from nas.layers.layernorm import LayerNorm


class GlobalPool(nn.Module):
    """The mean over all positions."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C)."""
        return x.mean((2, 3))


@heads.register("pool_norm_linear")
@dataclass(frozen=True, kw_only=True)
class PoolNormLinear(Head):
    """Global average pooling, norm, linear: ConvNeXt's (norm layernorm) and ResNet's (norm null)."""

    norm: Norm | None = LayerNorm()

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, classes), or (N, C) without classes."""
        head = nn.Sequential()
        head.add_module("pool", GlobalPool())
        if self.norm is not None:
            head.add_module("norm", self.norm.build(Site(site.width_in, site.width_in, 1)))
        if site.width:
            head.add_module("linear", nn.Linear(site.width_in, site.width))
        return head

    def cost(self, site: Site) -> Cost:
        """Norm and linear layer."""
        norm = NOTHING if self.norm is None else self.norm.cost(Site(site.width_in, site.width_in, 1))
        return norm + (linear_cost(site.width_in, site.width) if site.width else NOTHING)
