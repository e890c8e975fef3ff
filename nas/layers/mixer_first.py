"""ConvNeXt's block: the depthwise convolution first, then an inverted bottleneck of pointwise ones.

'A ConvNet for the 2020s' (arXiv:2201.03545, figure 4 and sections 2.4 to 2.6). The placement of norms and activations
is a choice, so that the paper's steps between 'move up depthwise conv' and 'separate downsampling' are points of it.
With a gate, a norm on the hidden channels and a norm after the last pointwise convolution it is UniRepLKNet's block
(arXiv:2311.15599, figure 2); with `hidden_norm: grn` that of ConvNeXt V2 (arXiv:2301.00808).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from nas.cost import Cost, parameter_cost
from nas.layers.base import Activation, Block, Gate, Mixer, Norm, Site, blocks
from nas.layers.depthwise import Depthwise
from nas.layers.drop_path import DropPath
from nas.layers.elementwise import GELU
from nas.layers.layer_scale import LayerScale
from nas.layers.layernorm import LayerNorm
from nas.layers.pointwise import Pointwise, ScaledPointwise, pointwise_cost
from nas.layers.residual import ResidualBlock, projection, projection_cost
from nas.schema.fields import POSITIVE

NormPlacement = Literal["every_conv", "before_pointwise", "around_pointwise"]
ActPlacement = Literal["everywhere", "between_pointwise"]


@blocks.register("mixer_first")
@dataclass(frozen=True, kw_only=True)
class MixerFirst(Block):
    """Mixer, norm, pointwise to `ratio` times the width, activation, pointwise back, layer scale.

    `norm_placement` puts the norm after every convolution, only before the first pointwise one, or before the first
    and after the last; `act_placement` puts the activation after every convolution and the addition, or only between
    the pointwise ones. `gate` stands before the first pointwise convolution, `hidden_norm` after the activation between
    them. The mixer works on the incoming width and strides; the hidden width is `ratio` times the outgoing one. `bias`
    is that of the pointwise convolutions: all, none, or `auto`, those that no norm follows; a projected shortcut has a
    norm and no bias.
    """

    mixer: Mixer = Depthwise()
    norm: Norm = LayerNorm()
    act: Activation = GELU()
    ratio: Annotated[float, POSITIVE] = 4
    norm_placement: NormPlacement = "before_pointwise"
    act_placement: ActPlacement = "between_pointwise"
    layer_scale: float | None = None
    bias: bool | Literal["auto"] = True
    gate: Gate | None = None
    hidden_norm: Norm | None = None

    def require(self, site: Site) -> None:
        """The mixer's rules."""
        self.mixer.require(self._sites(site)[0])

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        mix, expand, reduce = self._sites(site)
        every_act = self.act_placement == "everywhere"
        branch = nn.Sequential()
        branch.add_module("mixer", self.mixer.build(mix))
        branch.add_module("norm", self.norm.build(mix.inside(mix.width)))
        if every_act:
            branch.add_module("act_mixer", self.act.build(mix))
        if self.gate is not None:
            branch.add_module("gate", self.gate.build(mix.inside(mix.width)))
        branch.add_module("expand", Pointwise(expand.width_in, expand.width, bias=self._bias(self._norm_expand)))
        if self._norm_expand:
            branch.add_module("norm_expand", self.norm.build(expand.inside(expand.width)))
        branch.add_module("act", self.act.build(expand))
        if self.hidden_norm is not None:
            branch.add_module("norm_hidden", self.hidden_norm.build(expand.inside(expand.width)))
        bias = self._bias(self._norm_reduce)
        if self.layer_scale is None or self._norm_reduce:
            branch.add_module("reduce", Pointwise(reduce.width_in, reduce.width, bias=bias))
        else:
            scaled = ScaledPointwise(reduce.width_in, reduce.width, init=self.layer_scale, bias=bias)
            branch.add_module("reduce", scaled)
        if self._norm_reduce:
            branch.add_module("norm_reduce", self.norm.build(reduce.inside(reduce.width)))
            if self.layer_scale is not None:
                branch.add_module("scale", LayerScale(site.width, self.layer_scale))
        if drop_path:
            branch.add_module("drop_path", DropPath(drop_path))
        end = self.act.build(reduce) if every_act else nn.Identity()
        return ResidualBlock(branch, projection(site, self.norm), end)

    def cost(self, site: Site) -> Cost:
        """Mixer, two pointwise convolutions, their norms, the shortcut."""
        mix, expand, reduce = self._sites(site)
        cost = self.mixer.cost(mix) + self.norm.cost(mix.inside(mix.width))
        cost += pointwise_cost(expand, bias=self._bias(self._norm_expand))
        cost += pointwise_cost(reduce, bias=self._bias(self._norm_reduce))
        if self.gate is not None:
            cost += self.gate.cost(mix.inside(mix.width))
        if self._norm_expand:
            cost += self.norm.cost(expand.inside(expand.width))
        if self.hidden_norm is not None:
            cost += self.hidden_norm.cost(expand.inside(expand.width))
        if self._norm_reduce:
            cost += self.norm.cost(reduce.inside(reduce.width))
        if self.layer_scale is not None:
            cost += parameter_cost(site.width)
        cost += self.act.cost(expand) * (3 if self.act_placement == "everywhere" else 1)
        return cost + projection_cost(site, self.norm)

    @property
    def _norm_expand(self) -> bool:
        return self.norm_placement == "every_conv"

    @property
    def _norm_reduce(self) -> bool:
        return self.norm_placement != "before_pointwise"

    def _bias(self, followed_by_norm: bool) -> bool:
        return not followed_by_norm if self.bias == "auto" else self.bias

    def _sites(self, site: Site) -> tuple[Site, Site, Site]:
        hidden = round(self.ratio * site.width)
        mix = Site(site.width_in, site.width_in, site.size, site.stride)
        return mix, Site(site.width_in, hidden, site.size_out), Site(hidden, site.width, site.size_out)
