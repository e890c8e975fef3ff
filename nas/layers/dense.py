"""The dense k x k convolution, every channel from every channel: ResNet's 3x3 (arXiv:1512.03385, figure 5)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Mixer, Site, mixers
from nas.schema.fields import Kernel


@mixers.register("dense")
@dataclass(frozen=True, kw_only=True)
class Dense(Mixer):
    """A k x k convolution without groups; no bias by default, because a norm follows in ResNet."""

    kernel: Kernel = 3
    bias: bool = False

    def folds(self, site: Site) -> bool:
        """A convolution with a bias or without."""
        return self.bias

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        return nn.Conv2d(
            site.width, site.width, self.kernel, stride=site.stride, padding=self.kernel // 2, bias=self.bias
        )

    def cost(self, site: Site) -> Cost:
        """C x C x k x k weights."""
        return conv_cost(site.width, site.width, self.kernel, site.size_out, bias=self.bias)
