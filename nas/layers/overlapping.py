"""The overlapping patch embedding of VAN (arXiv:2202.09741, section 3.2; from PVTv2, arXiv:2106.13797)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from nas.cost import NOTHING, Cost, conv_cost
from nas.layers.base import Norm, Site, Stem, stems
from nas.layers.batchnorm import BatchNorm
from nas.schema.fields import Count, Kernel


@stems.register("overlapping")
@dataclass(frozen=True, kw_only=True)
class Overlapping(Stem):
    """One padded `kernel` x `kernel` convolution with bias and a stride below its kernel, then a norm or none."""

    kernel: Kernel = 7
    stride: Count = 4
    norm: Norm | None = BatchNorm()

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        stem = nn.Sequential()
        conv = nn.Conv2d(site.width_in, site.width, self.kernel, stride=self.stride, padding=self.kernel // 2)
        stem.add_module("conv", conv)
        if self.norm is not None:
            stem.add_module("norm", self.norm.build(self._after(site)))
        return stem

    def cost(self, site: Site) -> Cost:
        """Convolution and norm."""
        after = self._after(site)
        norm = NOTHING if self.norm is None else self.norm.cost(after)
        return conv_cost(site.width_in, site.width, self.kernel, after.size) + norm

    def size_out(self, site: Site) -> int:
        """Rounded up."""
        return self._after(site).size

    def _after(self, site: Site) -> Site:
        return Site(site.width, site.width, math.ceil(site.size / self.stride))
