"""FocalNet's focal modulation: a cascade of ever wider depthwise convolutions, weighed level by level, as a gate.

'Focal Modulation Networks' (arXiv:2203.11926, section 3.2). The norm after the product is that of its largest models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from nas.cost import NOTHING, Cost
from nas.layers.base import Activation, Mixer, Norm, Site, mixers, refuse_stride
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.elementwise import GELU
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import Kernel, within


class FocalModulation(nn.Module):
    """project(norm(query * spread(sum of the levels, each times its gate)))."""

    def __init__(self, width: int, levels: list[nn.Sequential], last: nn.Module, norm: nn.Module) -> None:
        """`levels` hold a convolution and an activation each; `last` is the activation of the global level."""
        super().__init__()
        self.cuts = [width, width, len(levels) + 1]
        self.enter = Pointwise(width, sum(self.cuts))
        self.levels = nn.ModuleList(levels)
        self.last = last
        self.spread = Pointwise(width, width)
        self.norm = norm
        self.project = Pointwise(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        query, context, gates = torch.split(self.enter(x), self.cuts, dim=1)
        gathered = torch.zeros_like(context)
        for index, level in enumerate(self.levels):
            context = level(context)
            gathered = gathered + context * gates[:, index : index + 1]  # (N, C, H, W) * (N, 1, H, W)
        whole = self.last(context.mean((2, 3), keepdim=True))  # (N, C, 1, 1)
        gathered = gathered + whole * gates[:, -1:]
        y: Tensor = self.project(self.norm(query * self.spread(gathered)))
        return y


@mixers.register("focal")
@dataclass(frozen=True, kw_only=True)
class Focal(Mixer):
    """`levels` depthwise convolutions, the first of `window` points a side, each next one two wider, and the mean."""

    levels: Annotated[int, within(1, 10)] = 2
    window: Kernel = 3
    act: Activation = GELU()
    norm: Norm | None = None

    def require(self, site: Site) -> None:
        """Raise FieldError where the map would shrink."""
        refuse_stride(self, site)

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        levels = [
            nn.Sequential(DepthwiseConv(site.width, kernel, bias=False), self.act.build(site))
            for kernel in self._kernels
        ]
        norm = nn.Identity() if self.norm is None else self.norm.build(site)
        return FocalModulation(site.width, levels, self.act.build(site), norm)

    def cost(self, site: Site) -> Cost:
        """Three pointwise convolutions and the levels; products are not counted."""
        cost = pointwise_cost(Site(site.width, 2 * site.width + self.levels + 1, site.size)) + pointwise_cost(site) * 2
        for kernel in self._kernels:
            cost += depthwise_cost(site.width, kernel, site.size, bias=False)
        norm = NOTHING if self.norm is None else self.norm.cost(site)
        return cost + self.act.cost(site) * (self.levels + 1) + norm

    @property
    def _kernels(self) -> list[int]:
        return [self.window + 2 * level for level in range(self.levels)]
