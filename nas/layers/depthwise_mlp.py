"""The feed-forward part with a 3x3 depthwise convolution on its hidden channels.

VAN's (arXiv:2202.09741, figure 3; from PVTv2, arXiv:2106.13797) has it in line, Conv2Former's (arXiv:2211.11943,
official code) as a residual of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor, nn

from nas.cost import Cost
from nas.layers.base import Activation, FeedForward, Site, ffns
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.elementwise import GELU
from nas.layers.mlp import hidden_site
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import POSITIVE, Kernel


class LocalResidual(nn.Module):
    """x + act(conv(x))."""

    def __init__(self, conv: nn.Module, act: nn.Module) -> None:
        """Put a shortcut around a convolution and its activation."""
        super().__init__()
        self.conv = conv
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        y: Tensor = x + self.act(self.conv(x))
        return y


@ffns.register("depthwise_mlp")
@dataclass(frozen=True, kw_only=True)
class DepthwiseMLP(FeedForward):
    """Pointwise to `ratio` times the width, `kernel` x `kernel` depthwise, pointwise back, all with bias.

    `form` `in_line`: one activation, after the depthwise convolution. `residual`: one after the first pointwise
    convolution and one after the depthwise one, which is added to what it is given.
    """

    ratio: Annotated[float, POSITIVE] = 4
    act: Activation = GELU()
    form: Literal["in_line", "residual"] = "in_line"
    kernel: Kernel = 3

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        hidden = hidden_site(self.ratio, site)
        layers = nn.Sequential()
        layers.add_module("expand", Pointwise(site.width, hidden.width))
        conv = DepthwiseConv(hidden.width, self.kernel)
        if self.form == "in_line":
            layers.add_module("mix", conv)
        layers.add_module("act", self.act.build(hidden))
        if self.form == "residual":
            layers.add_module("mix", LocalResidual(conv, self.act.build(hidden)))
        layers.add_module("reduce", Pointwise(hidden.width, site.width))
        return layers

    def cost(self, site: Site) -> Cost:
        """The three convolutions."""
        hidden = hidden_site(self.ratio, site)
        cost = pointwise_cost(Site(site.width, hidden.width, site.size))
        cost += depthwise_cost(hidden.width, self.kernel, site.size)
        cost += self.act.cost(hidden) * (2 if self.form == "residual" else 1)
        return cost + pointwise_cost(Site(hidden.width, site.width, site.size))
