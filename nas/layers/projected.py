"""A mixer between two pointwise convolutions, as RepLKNet and VAN use theirs in a metaformer block.

RepLKNet (arXiv:2203.06717, figure 2): 1x1, batchnorm, relu, large kernel, relu, 1x1, batchnorm. VAN (arXiv:2202.09741,
figure 3): 1x1, gelu, LKA, 1x1, and a shortcut around all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor, nn

from nas.cost import Cost
from nas.errors import FieldError
from nas.layers.base import Activation, Mixer, Norm, Site, mixers
from nas.layers.batchnorm import BatchNorm
from nas.layers.depthwise import Depthwise
from nas.layers.elementwise import ReLU
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import POSITIVE


class Shortcut(nn.Module):
    """x + inner(x)."""

    def __init__(self, inner: nn.Module) -> None:
        """Put a shortcut around `inner`."""
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        y: Tensor = x + self.inner(x)
        return y


@mixers.register("projected")
@dataclass(frozen=True, kw_only=True)
class Projected(Mixer):
    """1x1 to `ratio` times the width, mixer, 1x1 back; a norm, unless null, after each 1x1.

    `act_placement` puts the activation before the mixer, or on both sides of it. The 1x1 convolutions have a bias where
    no norm follows. `skip` adds the input to the output.
    """

    mixer: Mixer = Depthwise()
    ratio: Annotated[float, POSITIVE] = 1
    norm: Norm | None = BatchNorm()
    act: Activation = ReLU()
    act_placement: Literal["around", "before"] = "around"
    skip: bool = False

    def require(self, site: Site) -> None:
        """Raise FieldError where a shortcut would have to change the map."""
        if self.skip and site.stride != 1:
            raise FieldError("skip", "a shortcut around a mixer keeps the map; use a separate downsample")
        self.mixer.require(self._inside(site))

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        hidden = self._inside(site)
        inner = nn.Sequential()
        inner.add_module("expand", Pointwise(site.width, hidden.width, bias=self.norm is None))
        if self.norm is not None:
            inner.add_module("norm_expand", self.norm.build(Site(hidden.width, hidden.width, site.size)))
        inner.add_module("act", self.act.build(hidden))
        inner.add_module("mixer", self.mixer.build(hidden))
        if self.act_placement == "around":
            inner.add_module("act_mixer", self.act.build(hidden))
        inner.add_module("reduce", Pointwise(hidden.width, site.width, bias=self.norm is None))
        if self.norm is not None:
            inner.add_module("norm_reduce", self.norm.build(site.inside(site.width)))
        return Shortcut(inner) if self.skip else inner

    def cost(self, site: Site) -> Cost:
        """Both pointwise convolutions, their norms, the mixer."""
        hidden = self._inside(site)
        bias = self.norm is None
        cost = pointwise_cost(Site(site.width, hidden.width, site.size), bias=bias) + self.mixer.cost(hidden)
        cost += pointwise_cost(Site(hidden.width, site.width, site.size_out), bias=bias)
        cost += self.act.cost(hidden) * (2 if self.act_placement == "around" else 1)
        if self.norm is not None:
            cost += self.norm.cost(Site(hidden.width, hidden.width, site.size))
            cost += self.norm.cost(site.inside(site.width))
        return cost

    def _inside(self, site: Site) -> Site:
        hidden = max(1, round(self.ratio * site.width))
        return Site(hidden, hidden, site.size, site.stride)
