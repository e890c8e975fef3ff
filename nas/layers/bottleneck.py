"""ResNet's bottleneck and, with a ratio above 1, the inverted one.

'Deep Residual Learning' (arXiv:1512.03385, figure 5), ResNeXt (arXiv:1611.05431) with a grouped mixer, the inverted
form of MobileNetV2 (arXiv:1801.04381) as in 'A ConvNet for the 2020s' (arXiv:2201.03545, section 2.4). The mixer
strides, not the first 1x1 (the 'v1.5' that torchvision, timm and the papers' numbers use).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from nas.cost import Cost
from nas.layers.base import Activation, Block, Gate, Mixer, Norm, Site, blocks
from nas.layers.batchnorm import BatchNorm
from nas.layers.dense import Dense
from nas.layers.drop_path import DropPath
from nas.layers.elementwise import ReLU
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.layers.residual import ResidualBlock, projection, projection_cost
from nas.schema.fields import POSITIVE


@blocks.register("bottleneck")
@dataclass(frozen=True, kw_only=True)
class Bottleneck(Block):
    """1x1 to `ratio` times the outgoing width, mixer, 1x1 to the outgoing width; a norm after each convolution.

    `act_placement` puts the activation after the first two and the addition, or only after the first two. `gate` stands
    between the mixer's activation and the last 1x1. The 1x1 convolutions have no bias, because norms follow.
    """

    mixer: Mixer = Dense()
    norm: Norm = BatchNorm()
    act: Activation = ReLU()
    ratio: Annotated[float, POSITIVE] = 0.25
    act_placement: Literal["everywhere", "inside"] = "everywhere"
    gate: Gate | None = None

    def require(self, site: Site) -> None:
        """The mixer's rules."""
        self.mixer.require(self._inside(site))

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        hidden = self._inside(site)
        after = hidden.inside(hidden.width)
        branch = nn.Sequential()
        branch.add_module("reduce", Pointwise(site.width_in, hidden.width, bias=False))
        branch.add_module("norm_reduce", self.norm.build(Site(hidden.width, hidden.width, site.size)))
        branch.add_module("act_reduce", self.act.build(hidden))
        branch.add_module("mixer", self.mixer.build(hidden))
        branch.add_module("norm", self.norm.build(after))
        branch.add_module("act", self.act.build(after))
        if self.gate is not None:
            branch.add_module("gate", self.gate.build(after))
        branch.add_module("expand", Pointwise(hidden.width, site.width, bias=False))
        branch.add_module("norm_expand", self.norm.build(site.inside(site.width)))
        if drop_path:
            branch.add_module("drop_path", DropPath(drop_path))
        end = self.act.build(site) if self.act_placement == "everywhere" else nn.Identity()
        return ResidualBlock(branch, projection(site, self.norm), end)

    def cost(self, site: Site) -> Cost:
        """Two pointwise convolutions, the mixer, their norms, the shortcut."""
        hidden = self._inside(site)
        after = hidden.inside(hidden.width)
        cost = pointwise_cost(Site(site.width_in, hidden.width, site.size), bias=False)
        cost += self.norm.cost(Site(hidden.width, hidden.width, site.size))
        cost += self.mixer.cost(hidden) + self.norm.cost(after)
        if self.gate is not None:
            cost += self.gate.cost(after)
        cost += pointwise_cost(Site(hidden.width, site.width, site.size_out), bias=False)
        cost += self.norm.cost(site.inside(site.width))
        return cost + projection_cost(site, self.norm)

    def _inside(self, site: Site) -> Site:
        hidden = max(1, round(self.ratio * site.width))
        return Site(hidden, hidden, site.size, site.stride)
