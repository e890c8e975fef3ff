"""ConvNeXt's block: the depthwise convolution first, then an inverted bottleneck of pointwise ones.

'A ConvNet for the 2020s' (arXiv:2201.03545, figure 4 and sections 2.4 to 2.6). The placement of norms and activations
is a choice, so that the paper's steps between 'move up depthwise conv' and 'separate downsampling' are points of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor, nn

from nas.cost import Cost, conv_cost, parameter_cost
from nas.layers.base import Activation, Block, Mixer, Norm, Site, blocks
from nas.layers.depthwise import Depthwise
from nas.layers.drop_path import DropPath
from nas.layers.elementwise import GELU
from nas.layers.layer_scale import LayerScale
from nas.layers.layernorm import LayerNorm
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import POSITIVE

NormPlacement = Literal["every_conv", "before_pointwise"]
ActPlacement = Literal["everywhere", "between_pointwise"]


class MixerFirstBlock(nn.Module):
    """x + drop_path(scale * branch(x)), with a projected shortcut where the shape changes."""

    def __init__(self, branch: nn.Sequential, shortcut: nn.Module, end: nn.Module) -> None:
        """Join the residual branch, the shortcut and what follows the addition."""
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        y: Tensor = self.end(self.shortcut(x) + self.branch(x))
        return y


@blocks.register("mixer_first")
@dataclass(frozen=True, kw_only=True)
class MixerFirst(Block):
    """Mixer, norm, pointwise to `ratio` times the width, activation, pointwise back, layer scale.

    `norm_placement` puts the norm after every convolution, or only before the first pointwise one; `act_placement`
    puts the activation after every convolution and the addition, or only between the pointwise ones. The mixer works
    on the incoming width and strides; the hidden width is `ratio` times the outgoing one. `bias` is that of the
    pointwise convolutions; a projected shortcut has a norm and no bias.
    """

    mixer: Mixer = Depthwise()
    norm: Norm = LayerNorm()
    act: Activation = GELU()
    ratio: Annotated[float, POSITIVE] = 4
    norm_placement: NormPlacement = "before_pointwise"
    act_placement: ActPlacement = "between_pointwise"
    layer_scale: float | None = None
    bias: bool = True

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        mix, expand, reduce = self._sites(site)
        every_norm = self.norm_placement == "every_conv"
        every_act = self.act_placement == "everywhere"
        branch = nn.Sequential()
        branch.add_module("mixer", self.mixer.build(mix))
        branch.add_module("norm", self.norm.build(mix.inside(mix.width)))
        if every_act:
            branch.add_module("act_mixer", self.act.build(mix))
        branch.add_module("expand", Pointwise(expand.width_in, expand.width, bias=self.bias))
        if every_norm:
            branch.add_module("norm_expand", self.norm.build(expand.inside(expand.width)))
        branch.add_module("act", self.act.build(expand))
        branch.add_module("reduce", Pointwise(reduce.width_in, reduce.width, bias=self.bias))
        if every_norm:
            branch.add_module("norm_reduce", self.norm.build(reduce))
        if self.layer_scale is not None:
            branch.add_module("scale", LayerScale(site.width, self.layer_scale))
        if drop_path:
            branch.add_module("drop_path", DropPath(drop_path))
        end = self.act.build(reduce) if every_act else nn.Identity()
        return MixerFirstBlock(branch, self._shortcut(site), end)

    def cost(self, site: Site) -> Cost:
        """Mixer, two pointwise convolutions, their norms, the shortcut."""
        mix, expand, reduce = self._sites(site)
        cost = self.mixer.cost(mix) + self.norm.cost(mix.inside(mix.width))
        cost += pointwise_cost(expand, bias=self.bias) + pointwise_cost(reduce, bias=self.bias)
        if self.norm_placement == "every_conv":
            cost += self.norm.cost(expand.inside(expand.width)) + self.norm.cost(reduce.inside(reduce.width))
        if self.layer_scale is not None:
            cost += parameter_cost(site.width)
        if site.changes_shape:
            cost += conv_cost(site.width_in, site.width, 1, site.size_out, bias=False)
            cost += self.norm.cost(site.inside(site.width))
        return cost

    def _sites(self, site: Site) -> tuple[Site, Site, Site]:
        hidden = round(self.ratio * site.width)
        mix = Site(site.width_in, site.width_in, site.size, site.stride)
        return mix, Site(site.width_in, hidden, site.size_out), Site(hidden, site.width, site.size_out)

    def _shortcut(self, site: Site) -> nn.Module:
        if not site.changes_shape:
            return nn.Identity()
        project = nn.Conv2d(site.width_in, site.width, 1, stride=site.stride, bias=False)
        return nn.Sequential(project, self.norm.build(site.inside(site.width)))
