"""Conv2Former's head: a wide pointwise convolution before the pooling (arXiv:2211.11943, official code)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import NOTHING, Cost, linear_cost
from nas.layers.base import Activation, Head, Norm, Site, heads
from nas.layers.elementwise import GELU
from nas.layers.layernorm import LayerNorm
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.layers.pool_norm_linear import GlobalPool
from nas.schema.fields import Count


@heads.register("expand_pool_linear")
@dataclass(frozen=True, kw_only=True)
class ExpandPoolLinear(Head):
    """1x1 with bias to `width` channels, activation, norm, global average pooling, linear."""

    width: Count = 1280
    act: Activation = GELU()
    norm: Norm = LayerNorm()

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, classes), or (N, width) without classes."""
        inside = Site(self.width, self.width, site.size)
        head = nn.Sequential()
        head.add_module("expand", Pointwise(site.width_in, self.width))
        head.add_module("act", self.act.build(inside))
        head.add_module("norm", self.norm.build(inside))
        head.add_module("pool", GlobalPool())
        if site.width:
            head.add_module("linear", nn.Linear(self.width, site.width))
        return head

    def cost(self, site: Site) -> Cost:
        """Both linear maps and the norm."""
        inside = Site(self.width, self.width, site.size)
        expand = pointwise_cost(Site(site.width_in, self.width, site.size))
        return (
            expand
            + self.act.cost(inside)
            + self.norm.cost(inside)
            + (linear_cost(self.width, site.width) if site.width else NOTHING)
        )
