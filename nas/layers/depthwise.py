"""The k x k depthwise convolution of ConvNeXt (arXiv:2201.03545, sections 2.3 and 2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Mixer, Site, mixers
from nas.schema.fields import Kernel


@mixers.register("depthwise")
@dataclass(frozen=True, kw_only=True)
class Depthwise(Mixer):
    """One k x k filter per channel, 'same' padding, `site.stride`."""

    kernel: Kernel = 7
    bias: bool = True

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        return nn.Conv2d(
            site.width, site.width, self.kernel, stride=site.stride, padding=self.kernel // 2, groups=site.width,
            bias=self.bias,
        )  # fmt: skip

    def cost(self, site: Site) -> Cost:
        """K x k weights a channel."""
        return conv_cost(site.width, site.width, self.kernel, site.size_out, groups=site.width, bias=self.bias)
