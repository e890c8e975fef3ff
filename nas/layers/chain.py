"""A chain: layers one after the other where a part wants one mixer or one feed-forward part.

With `parallel` and `split` it writes what papers draw as a diagram of their own: ConvFormer's separable convolution
(arXiv:2210.13452, section 3.2), RepViT's token mixer (arXiv:2307.09283, figure 3), the gated blocks of MambaOut
(arXiv:2405.07992, figure 1) and MogaNet (arXiv:2211.03295, section 4), StarNet's product (arXiv:2403.19967, figure 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from nas.cost import Cost
from nas.errors import FieldError
from nas.layers.base import FeedForward, Mixer, Site, ffns, mixers, refuse_stride
from nas.layers.conv import Conv
from nas.layers.depthwise import Depthwise
from nas.layers.elementwise import GELU
from nas.layers.sequence import Steps, build_steps, outgoing, require_steps, steps_cost


def _require_whole(steps: Steps, site: Site, field: str) -> None:
    """Raise FieldError where layers do not give the width and the map they were given."""
    require_steps(steps, site)
    width, size = outgoing(steps, site)
    if (width, size) != (site.width_in, site.size):
        raise FieldError(field, f"must keep {site.width_in} channels and the map, but {width} channels "
                         f"{'of a smaller map ' if size != site.size else ''}come out")  # fmt: skip


@mixers.register("chain")
@dataclass(frozen=True, kw_only=True)
class Chain(Mixer):
    """`layers` one after the other, which together keep width and map.

    `fold`: when deployed, batch norms are part of the convolution right before them.
    """

    sees_place: ClassVar[bool] = True
    layers: Steps = (Conv(), GELU(), Depthwise())
    fold: bool = False

    def require(self, site: Site) -> None:
        """The layers' rules, and that what comes out is as wide and as large as what came in."""
        refuse_stride(self, site)
        _require_whole(self.layers, site, "layers")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return build_steps(self.layers, site, fold=self.fold)

    def cost(self, site: Site) -> Cost:
        """All layers."""
        return steps_cost(self.layers, site, fold=self.fold)


@ffns.register("chain")
@dataclass(frozen=True, kw_only=True)
class FeedForwardChain(FeedForward):
    """`layers` one after the other, which together keep width and map; `fold` as in a mixer."""

    layers: Steps = (Conv(ratio=4), GELU(), Conv())
    fold: bool = False

    def require(self, site: Site) -> None:
        """The layers' rules, and that what comes out is as wide and as large as what came in."""
        _require_whole(self.layers, site, "layers")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return build_steps(self.layers, site, fold=self.fold)

    def cost(self, site: Site) -> Cost:
        """All layers."""
        return steps_cost(self.layers, site, fold=self.fold)
