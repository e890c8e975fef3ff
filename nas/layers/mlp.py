"""The plain feed-forward part: two pointwise convolutions with an activation between them (arXiv:1706.03762, 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import nn

from nas.cost import Cost
from nas.errors import FieldError
from nas.layers.base import Activation, FeedForward, Norm, Site, ffns
from nas.layers.elementwise import GELU
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import POSITIVE


def hidden_site(ratio: float, site: Site) -> Site:
    """Where the hidden channels of a feed-forward part stand."""
    hidden = max(1, round(ratio * site.width))
    return Site(hidden, hidden, site.size)


@ffns.register("mlp")
@dataclass(frozen=True, kw_only=True)
class MLP(FeedForward):
    """Pointwise to `ratio` times the width, activation, pointwise back.

    `norm` stands after each pointwise convolution, as in RepLKNet (arXiv:2203.06717); they have a bias without it, if
    `bias` is not false.
    """

    ratio: Annotated[float, POSITIVE] = 4
    act: Activation = GELU()
    norm: Norm | None = None
    bias: bool = True

    def check(self) -> None:
        """Refuse what would be ignored."""
        if self.norm is not None and not self.bias:
            raise FieldError("bias", "a pointwise convolution before a norm has none in any case; leave bias out")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        hidden = hidden_site(self.ratio, site)
        layers = nn.Sequential()
        layers.add_module("expand", Pointwise(site.width, hidden.width, bias=self._bias))
        if self.norm is not None:
            layers.add_module("norm_expand", self.norm.build(hidden))
        layers.add_module("act", self.act.build(hidden))
        layers.add_module("reduce", Pointwise(hidden.width, site.width, bias=self._bias))
        if self.norm is not None:
            layers.add_module("norm_reduce", self.norm.build(site))
        return layers

    def cost(self, site: Site) -> Cost:
        """Both pointwise convolutions and their norms."""
        hidden = hidden_site(self.ratio, site)
        bias = self._bias
        cost = pointwise_cost(Site(site.width, hidden.width, site.size), bias=bias)
        cost += pointwise_cost(Site(hidden.width, site.width, site.size), bias=bias)
        cost += self.act.cost(hidden)
        return cost if self.norm is None else cost + self.norm.cost(hidden) + self.norm.cost(site)

    @property
    def _bias(self) -> bool:
        return self.bias and self.norm is None
