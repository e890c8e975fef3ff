"""The 1x1 convolution, as a linear layer over the channels.

On a map in channels-last memory the permutations are free and the linear layer is one matrix product, with the
parameter shapes of the official ConvNeXt code (`pwconv1.weight`: (out, in)). A map in NCHW is brought to that format
first: the matrix product on the permuted view is slow (384 to 1536 channels at 14x14, batch 8, one CPU thread, forward:
31 ms, against 13 with the copy and 14 for a convolution on NCHW).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.cost import Cost, linear_cost
from nas.layers.base import Site
from nas.layers.layer_scale import LayerScale


class Pointwise(nn.Linear):
    """A linear layer applied at every position."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H, W), or pooled features (N, C_in) -> (N, C_out)."""
        return at_every_position(x, self.weight, self.bias)


def at_every_position(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The linear layer over the channels of (N, C_in, H, W) or (N, C_in)."""
    if x.ndim == 2:
        return functional.linear(x, weight, bias)
    last = x.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
    return functional.linear(last, weight, bias).permute(0, 3, 1, 2)


class ScaledPointwise(Pointwise):
    """A pointwise layer with a layer scale behind it.

    In training the factors are multiplied into the weights where that is less work than into the map, which is what
    both passes over the map would be spent on otherwise: the same function, a tenth of a proxy's training step.
    """

    def __init__(self, width_in: int, width: int, *, init: float, bias: bool = True) -> None:
        """`init` is the start of all factors."""
        super().__init__(width_in, width, bias=bias)
        self.scale = LayerScale(width, init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H, W)."""
        if not self.training or x.shape[0] * x.shape[2] * x.shape[3] < self.in_features:
            y: Tensor = self.scale(at_every_position(x, self.weight, self.bias))
            return y
        gamma = self.scale.gamma
        bias: Tensor | None = self.bias
        if bias is not None:
            bias = bias * gamma
        return at_every_position(x, self.weight * gamma[:, None], bias)


def pointwise_cost(site: Site, *, bias: bool = True) -> Cost:
    """`site.width_in` -> `site.width` channels at every position of the outgoing map."""
    return linear_cost(site.width_in, site.width, positions=site.size_out**2, bias=bias)
