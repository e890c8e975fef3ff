"""HorNet's recursive gated convolution: products of ever wider channels, one after the other.

'HorNet: Efficient High-Order Spatial Interactions with Recursive Gated Convolutions' (arXiv:2207.14284, section 3.1).
Differs from the paper: only its 7 x 7 form; the global filter by Fourier transforms is left out.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from nas.cost import NOTHING, Cost
from nas.errors import FieldError
from nas.layers.base import Mixer, Site, mixers, refuse_stride
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import Kernel, within


class RecursiveGatedConv(nn.Module):
    """project(... expand_1(p * q_0) * q_1 ...), where p and all q are cuts of one pointwise convolution."""

    def __init__(self, width: int, widths: list[int], kernel: int, scale: float) -> None:
        """`widths` are those of the q, the narrowest first; p is as wide as that."""
        super().__init__()
        self.widths = widths
        self.scale = scale
        self.enter = Pointwise(width, widths[0] + sum(widths))
        self.mix = DepthwiseConv(sum(widths), kernel)
        self.expand = nn.ModuleList(Pointwise(low, high) for low, high in itertools.pairwise(widths))
        self.project = Pointwise(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        start, rest = torch.split(self.enter(x), [self.widths[0], sum(self.widths)], dim=1)
        cuts = torch.split(self.mix(rest) * self.scale, self.widths, dim=1)
        y = start * cuts[0]
        for index, expand in enumerate(self.expand):
            y = expand(y) * cuts[index + 1]
        z: Tensor = self.project(y)
        return z


@mixers.register("recursive_gate")
@dataclass(frozen=True, kw_only=True)
class RecursiveGate(Mixer):
    """`order` products of channels mixed by one k x k depthwise convolution, each twice as wide as the one before."""

    order: Annotated[int, within(1, 10)] = 3
    kernel: Kernel = 7
    scale: float = 1 / 3

    def require(self, site: Site) -> None:
        """Raise FieldError where the map would shrink, or halving the width so often leaves nothing whole."""
        refuse_stride(self, site)
        if site.width % 2 ** (self.order - 1):
            raise FieldError("order", f"{self.order} halves {site.width} channels {self.order - 1} times; not whole")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return RecursiveGatedConv(site.width, self._widths(site), self.kernel, self.scale)

    def cost(self, site: Site) -> Cost:
        """All pointwise convolutions and the depthwise one; products are not counted."""
        widths = self._widths(site)
        enter = pointwise_cost(Site(site.width, widths[0] + sum(widths), site.size))
        pairs = itertools.pairwise(widths)
        expand = sum((pointwise_cost(Site(low, high, site.size)) for low, high in pairs), NOTHING)
        return enter + depthwise_cost(sum(widths), self.kernel, site.size) + expand + pointwise_cost(site)

    def _widths(self, site: Site) -> list[int]:
        return [site.width // 2**halvings for halvings in reversed(range(self.order))]
