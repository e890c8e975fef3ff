"""ResNet's stem: a strided 7x7 convolution, then max pooling (arXiv:1512.03385, table 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from torch import nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Activation, Norm, Site, Stem, shared_width, stems
from nas.layers.batchnorm import BatchNorm
from nas.layers.elementwise import ReLU
from nas.schema.fields import POSITIVE, Kernel


@stems.register("pooled")
@dataclass(frozen=True, kw_only=True)
class PooledStem(Stem):
    """`kernel` x `kernel` with stride 2 and without bias, norm, activation, 3x3 max pooling with stride 2.

    `share`: its channels, as a share of the first stage's width; 64 of 256 in ResNet.
    """

    kernel: Kernel = 7
    norm: Norm = BatchNorm()
    act: Activation = ReLU()
    share: Annotated[float, POSITIVE] = 0.25

    def width(self, stage_width: int) -> int:
        """The share."""
        return shared_width(self.share, stage_width)

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H / 4, W / 4), rounded up at each halving."""
        after = self._after(site)
        stem = nn.Sequential()
        conv = nn.Conv2d(site.width_in, site.width, self.kernel, stride=2, padding=self.kernel // 2, bias=False)
        stem.add_module("conv", conv)
        stem.add_module("norm", self.norm.build(after))
        stem.add_module("act", self.act.build(after))
        stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        return stem

    def cost(self, site: Site) -> Cost:
        """Convolution and norm."""
        after = self._after(site)
        return (
            conv_cost(site.width_in, site.width, self.kernel, after.size, bias=False)
            + self.norm.cost(after)
            + self.act.cost(after)
        )

    def size_out(self, site: Site) -> int:
        """Halved twice, rounded up."""
        return math.ceil(self._after(site).size / 2)

    def _after(self, site: Site) -> Site:
        return Site(site.width, site.width, math.ceil(site.size / 2))
