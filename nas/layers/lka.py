"""VAN's large kernel attention ('Visual Attention Network', arXiv:2202.09741, section 3.1).

Differs from the paper's attention module: only the gating itself; `projected` adds the pointwise convolutions, the
activation and the shortcut around it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from nas.cost import Cost
from nas.layers.base import Mixer, Site, mixers, refuse_stride
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import Count, Kernel


class LargeKernelAttention(nn.Module):
    """x times a map made from its wide surroundings, cheaply: local, then dilated, then pointwise."""

    def __init__(self, width: int, local: int, kernel: int, dilation: int) -> None:
        """Make the three convolutions, all with bias."""
        super().__init__()
        self.local = DepthwiseConv(width, local)
        self.spatial = DepthwiseConv(width, kernel, dilation=dilation)
        self.channel = Pointwise(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        y: Tensor = x * self.channel(self.spatial(self.local(x)))
        return y


@mixers.register("lka")
@dataclass(frozen=True, kw_only=True)
class LKA(Mixer):
    """A `local` x `local` depthwise convolution, a dilated one of `kernel` points a side, a pointwise one, times x.

    The default sees 23 x 23: the paper's decomposition of a 21 x 21 kernel.
    """

    kernel: Kernel = 7
    dilation: Count = 3
    local: Kernel = 5

    def require(self, site: Site) -> None:
        """Raise FieldError where the map would shrink."""
        refuse_stride(self, site)

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return LargeKernelAttention(site.width, self.local, self.kernel, self.dilation)

    def cost(self, site: Site) -> Cost:
        """The three convolutions; the product is not counted."""
        depthwise = sum(
            (depthwise_cost(site.width, kernel, site.size_out) for kernel in (self.local, self.kernel)), Cost()
        )
        return depthwise + pointwise_cost(site)
