"""UniRepLKNet's stem: two strided 3x3 convolutions (arXiv:2311.15599, official code)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Activation, Norm, Site, Stem, stems
from nas.layers.elementwise import GELU
from nas.layers.layernorm import LayerNorm


@stems.register("two_conv")
@dataclass(frozen=True, kw_only=True)
class TwoConv(Stem):
    """3x3 with stride 2 to half the width, norm, activation, 3x3 with stride 2, norm; both with bias."""

    norm: Norm = LayerNorm()
    act: Activation = GELU()

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H / 4, W / 4), rounded up at each halving."""
        half, whole = self._sites(site)
        stem = nn.Sequential()
        stem.add_module("conv_1", nn.Conv2d(site.width_in, half.width, 3, stride=2, padding=1))
        stem.add_module("norm_1", self.norm.build(half))
        stem.add_module("act", self.act.build(half))
        stem.add_module("conv_2", nn.Conv2d(half.width, whole.width, 3, stride=2, padding=1))
        stem.add_module("norm_2", self.norm.build(whole))
        return stem

    def cost(self, site: Site) -> Cost:
        """Both convolutions and norms."""
        half, whole = self._sites(site)
        cost = conv_cost(site.width_in, half.width, 3, half.size) + self.norm.cost(half) + self.act.cost(half)
        return cost + conv_cost(half.width, whole.width, 3, whole.size) + self.norm.cost(whole)

    def size_out(self, site: Site) -> int:
        """Halved twice, rounded up."""
        return self._sites(site)[1].size

    @staticmethod
    def _sites(site: Site) -> tuple[Site, Site]:
        size, width = math.ceil(site.size / 2), max(1, site.width // 2)
        return Site(width, width, size), Site(site.width, site.width, math.ceil(size / 2))
