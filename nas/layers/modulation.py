"""Conv2Former's convolutional modulation (arXiv:2211.11943, section 3.2): a depthwise convolution weighs the values.

The norm before it is the block's.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from nas.cost import Cost
from nas.layers.base import Activation, Mixer, Site, mixers, refuse_stride
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.elementwise import GELU
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import Kernel


class ConvModulation(nn.Module):
    """project(attend(x) * value(x))."""

    def __init__(self, width: int, kernel: int, act: nn.Module) -> None:
        """Make the three pointwise convolutions and the depthwise one, all with bias."""
        super().__init__()
        self.attend = nn.Sequential(Pointwise(width, width), act, DepthwiseConv(width, kernel))
        self.value = Pointwise(width, width)
        self.project = Pointwise(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        weights = self.attend(x)  # (N, C, H, W), one weight for each position and channel
        y: Tensor = self.project(weights * self.value(x))
        return y


@mixers.register("modulation")
@dataclass(frozen=True, kw_only=True)
class Modulation(Mixer):
    """Values of a pointwise convolution times weights of a pointwise and a k x k depthwise one, then projected."""

    kernel: Kernel = 11
    act: Activation = GELU()

    def require(self, site: Site) -> None:
        """Raise FieldError where the map would shrink."""
        refuse_stride(self, site)

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return ConvModulation(site.width, self.kernel, self.act.build(site))

    def cost(self, site: Site) -> Cost:
        """Three pointwise convolutions and a depthwise one; the product is not counted."""
        return pointwise_cost(site) * 3 + depthwise_cost(site.width, self.kernel, site.size_out) + self.act.cost(site)
