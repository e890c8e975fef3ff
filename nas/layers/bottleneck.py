"""ResNet's bottleneck and, with a ratio above 1, the inverted one of the mobile networks.

'Deep Residual Learning' (arXiv:1512.03385, figure 5), ResNeXt (arXiv:1611.05431) with a grouped mixer, RegNet
(arXiv:2003.13678) with a ratio of 1; the inverted form of MobileNetV2 (arXiv:1801.04381) as in 'A ConvNet for the
2020s' (arXiv:2201.03545, section 2.4), EfficientNetV2 (arXiv:2104.00298, figure 2: without a mixer its fused block) and
MobileNetV4 (arXiv:2404.10518, figure 4: the universal block, with a depthwise convolution at the start). The mixer
strides, not the first 1x1 (the 'v1.5' that torchvision, timm and the papers' numbers use).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from nas.cost import NOTHING, Cost, conv_cost
from nas.errors import FieldError
from nas.layers.base import Activation, Block, Gate, Mixer, Norm, Site, blocks
from nas.layers.batchnorm import BatchNorm
from nas.layers.conv import convolution
from nas.layers.dense import Dense
from nas.layers.depthwise import depthwise_cost
from nas.layers.drop_path import DropPath
from nas.layers.elementwise import ReLU
from nas.layers.padding import Padding
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.layers.residual import ResidualBlock, projection, projection_cost
from nas.layers.squeeze_excite import rounded
from nas.schema.fields import POSITIVE, Count, Kernel


@blocks.register("bottleneck")
@dataclass(frozen=True, kw_only=True)
class Bottleneck(Block):
    """1x1 to `ratio` times the outgoing width, mixer, 1x1 to the outgoing width; a norm after each convolution.

    `act_placement` puts the activation after the first two and the addition, or only after the first two. `gate` stands
    between the mixer's activation and the last 1x1. The 1x1 convolutions have no bias, because norms follow.

    `expand` is the kernel of the first convolution (with 3 and no mixer the fused block), `start` that of a depthwise
    one with a norm before it, or null. `ratio_of: incoming` counts the hidden width from the incoming one, and `round`
    takes its nearest multiple, halves up, or with `groups` that of what a grouped mixer needs (AnyNet,
    arXiv:1905.13214). What strides is the mixer, without one the start, without that the first convolution.
    `shortcut: same_shape` has none where width or map change, `none` nowhere. `padding: tf` is that of TensorFlow's
    networks where the start or the first convolution stride.
    """

    mixer: Mixer | None = Dense()
    norm: Norm = BatchNorm()
    act: Activation = ReLU()
    ratio: Annotated[float, POSITIVE] = 0.25
    act_placement: Literal["everywhere", "inside"] = "everywhere"
    gate: Gate | None = None
    expand: Kernel = 1
    start: Kernel | None = None
    ratio_of: Literal["outgoing", "incoming"] = "outgoing"
    round: Count | Literal["groups"] = 1
    shortcut: Literal["projected", "same_shape", "none"] = "projected"
    padding: Padding = "same"

    def require(self, site: Site) -> None:
        """The mixer's rules; a 1x1 convolution does not stride; and nothing may be said that would be ignored."""
        if self.padding == "tf" and self.start is None and self.expand == 1:
            raise FieldError(
                "padding", "is that of the start and of a first convolution above 1x1; set the mixer's own"
            )
        if self.mixer is not None:
            self.mixer.require(self._inside(site))
        elif site.stride != 1 and self.start is None and self.expand == 1:
            raise FieldError("mixer", "nothing here can stride; add a mixer, a start or an expand of 3")

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        start, expand, hidden = self._sites(site)
        after = Site(site.width_in, hidden.width, hidden.size_out)
        branch = nn.Sequential()
        if self.start is not None:
            conv = convolution(start, self.start, groups=start.width, padding=self.padding)
            branch.add_module("start", conv)
            branch.add_module("norm_start", self.norm.build(start.inside(start.width)))
        first, last = ("reduce", "expand") if self.expand == 1 else ("fused", "project")
        branch.add_module(first, convolution(expand, self.expand, padding=self.padding))
        branch.add_module(f"norm_{first}", self.norm.build(expand.inside(hidden.width)))
        branch.add_module(f"act_{first}", self.act.build(hidden))
        if self.mixer is not None:
            branch.add_module("mixer", self.mixer.build(hidden))
            branch.add_module("norm", self.norm.build(hidden.inside(hidden.width)))
            branch.add_module("act", self.act.build(hidden))
        if self.gate is not None:
            branch.add_module("gate", self.gate.build(after))
        branch.add_module(last, Pointwise(hidden.width, site.width, bias=False))
        branch.add_module(f"norm_{last}", self.norm.build(site.inside(site.width)))
        if drop_path and self._has_shortcut(site):
            branch.add_module("drop_path", DropPath(drop_path))
        end = self.act.build(site) if self.act_placement == "everywhere" else nn.Identity()
        if not self._has_shortcut(site):
            return nn.Sequential(OrderedDict(branch=branch, end=end))
        return ResidualBlock(branch, projection(site, self.norm), end)

    def cost(self, site: Site) -> Cost:
        """Two pointwise convolutions, the mixer, their norms, the shortcut."""
        start, expand, hidden = self._sites(site)
        if self.expand == 1:
            cost = pointwise_cost(Site(site.width_in, hidden.width, expand.size), bias=False)
        else:
            cost = conv_cost(site.width_in, hidden.width, self.expand, expand.size_out, bias=False)
        cost += self.norm.cost(expand.inside(hidden.width))
        if self.start is not None:
            cost += depthwise_cost(site.width_in, self.start, start.size_out, bias=False)
            cost += self.norm.cost(start.inside(start.width))
        if self.mixer is not None:
            cost += self.mixer.cost(hidden) + self.norm.cost(hidden.inside(hidden.width))
        if self.gate is not None:
            cost += self.gate.cost(Site(site.width_in, hidden.width, hidden.size_out))
        cost += pointwise_cost(Site(hidden.width, site.width, site.size_out), bias=False)
        cost += self.norm.cost(site.inside(site.width))
        cost += self.act.cost(hidden) * (1 + (self.mixer is not None) + (self.act_placement == "everywhere"))
        return cost + (projection_cost(site, self.norm) if self._has_shortcut(site) else NOTHING)

    @property
    def _multiple(self) -> int:
        if self.round != "groups":
            return self.round
        return 1 if self.mixer is None else self.mixer.multiple

    def _has_shortcut(self, site: Site) -> bool:
        return self.shortcut == "projected" or (self.shortcut == "same_shape" and not site.changes_shape)

    def _inside(self, site: Site) -> Site:
        """Where the mixer stands."""
        return self._sites(site)[2]

    def _sites(self, site: Site) -> tuple[Site, Site, Site]:
        """Where the start, the first convolution and the mixer stand."""
        width = self.ratio * (site.width if self.ratio_of == "outgoing" else site.width_in)
        multiple = self._multiple
        hidden = max(1, round(width)) if multiple == 1 else rounded(width, multiple)
        at_start = site.stride if self.mixer is None and self.start is not None else 1
        at_expand = site.stride if self.mixer is None and self.start is None else 1
        start = Site(site.width_in, site.width_in, site.size, at_start)
        expand = Site(site.width_in, hidden, start.size_out, at_expand)
        return start, expand, Site(hidden, hidden, expand.size_out, site.stride if self.mixer is not None else 1)
