"""Conv2Former's stem: two 3x3 convolutions and a 2x2 one (arXiv:2211.11943, official code)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Activation, Norm, Site, Stem, stems
from nas.layers.batchnorm import BatchNorm
from nas.layers.elementwise import GELU


@stems.register("three_conv")
@dataclass(frozen=True, kw_only=True)
class ThreeConv(Stem):
    """3x3 with stride 2 to half the width, 3x3, 2x2 with stride 2; activation, then norm after the first two; no bias.

    Nothing follows the last convolution, and the activation comes before the norm: both as in the official code.
    """

    norm: Norm = BatchNorm()
    act: Activation = GELU()

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / 2) // 2, ceil(W / 2) // 2)."""
        half = self._half(site)
        stem = nn.Sequential()
        stem.add_module("conv_1", nn.Conv2d(site.width_in, half.width, 3, stride=2, padding=1, bias=False))
        stem.add_module("act_1", self.act.build(half))
        stem.add_module("norm_1", self.norm.build(half))
        stem.add_module("conv_2", nn.Conv2d(half.width, half.width, 3, padding=1, bias=False))
        stem.add_module("act_2", self.act.build(half))
        stem.add_module("norm_2", self.norm.build(half))
        stem.add_module("conv_3", nn.Conv2d(half.width, site.width, 2, stride=2, bias=False))
        return stem

    def cost(self, site: Site) -> Cost:
        """Three convolutions, two norms."""
        half = self._half(site)
        cost = conv_cost(site.width_in, half.width, 3, half.size, bias=False)
        cost += conv_cost(half.width, half.width, 3, half.size, bias=False) + self.norm.cost(half) * 2
        cost += self.act.cost(half) * 2
        return cost + conv_cost(half.width, site.width, 2, self.size_out(site), bias=False)

    def size_out(self, site: Site) -> int:
        """Halved, rounded up, then down."""
        return self._half(site).size // 2

    @staticmethod
    def _half(site: Site) -> Site:
        width = max(1, site.width // 2)
        return Site(width, width, math.ceil(site.size / 2))
