"""RepLKNet's head: the norm comes before the pooling (arXiv:2203.06717, official code)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import NOTHING, Cost, linear_cost
from nas.layers.base import Head, Norm, Site, heads
from nas.layers.batchnorm import BatchNorm
from nas.layers.pool_norm_linear import GlobalPool


@heads.register("norm_pool_linear")
@dataclass(frozen=True, kw_only=True)
class NormPoolLinear(Head):
    """Norm over the map, global average pooling, linear."""

    norm: Norm = BatchNorm()

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, classes), or (N, C) without classes."""
        head = nn.Sequential()
        head.add_module("norm", self.norm.build(Site(site.width_in, site.width_in, site.size)))
        head.add_module("pool", GlobalPool())
        if site.width:
            head.add_module("linear", nn.Linear(site.width_in, site.width))
        return head

    def cost(self, site: Site) -> Cost:
        """Norm and linear layer."""
        norm = self.norm.cost(Site(site.width_in, site.width_in, site.size))
        return norm + (linear_cost(site.width_in, site.width) if site.width else NOTHING)
