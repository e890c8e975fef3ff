"""RepLKNet's stem: dense 3x3, depthwise 3x3, 1x1, depthwise 3x3 (arXiv:2203.06717, section 4.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Activation, Norm, Site, Stem, stems
from nas.layers.batchnorm import BatchNorm
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.elementwise import ReLU
from nas.layers.pointwise import Pointwise, pointwise_cost


@stems.register("four_conv")
@dataclass(frozen=True, kw_only=True)
class FourConv(Stem):
    """3x3 with stride 2, depthwise 3x3, 1x1, depthwise 3x3 with stride 2; norm and activation after each; no bias."""

    norm: Norm = BatchNorm()
    act: Activation = ReLU()

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H / 4, W / 4), rounded up at each halving."""
        width = site.width
        convs = (
            nn.Conv2d(site.width_in, width, 3, stride=2, padding=1, bias=False),
            DepthwiseConv(width, 3, bias=False),
            Pointwise(width, width, bias=False),
            DepthwiseConv(width, 3, stride=2, bias=False),
        )
        inside = self._inside(site)
        stem = nn.Sequential()
        for number, conv in enumerate(convs, start=1):
            stem.add_module(f"conv_{number}", conv)
            stem.add_module(f"norm_{number}", self.norm.build(inside))
            stem.add_module(f"act_{number}", self.act.build(inside))
        return stem

    def cost(self, site: Site) -> Cost:
        """Four convolutions and norms."""
        inside = self._inside(site)
        cost = conv_cost(site.width_in, site.width, 3, inside.size, bias=False)
        cost += depthwise_cost(site.width, 3, inside.size, bias=False) + pointwise_cost(inside, bias=False)
        cost += depthwise_cost(site.width, 3, self.size_out(site), bias=False)
        return cost + self.norm.cost(inside) * 4 + self.act.cost(inside) * 4

    def size_out(self, site: Site) -> int:
        """Halved twice, rounded up."""
        return math.ceil(self._inside(site).size / 2)

    @staticmethod
    def _inside(site: Site) -> Site:
        return Site(site.width, site.width, math.ceil(site.size / 2))
