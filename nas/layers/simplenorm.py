"""Normalisation by the spread of the channels, without centring: timm's `SimpleNorm`, in its ConvNeXt-Zepto networks.

x / sqrt(variance + eps) * weight. It is no root mean square norm, though those networks are called `_rms`: the variance
is taken about the mean, with the divisor C - 1, and the mean stays in the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas.cost import Cost, norm_cost
from nas.layers.base import Norm, Site, norms


class ChannelSimpleNorm(nn.Module):
    """x / sqrt(unbiased variance over the channels + eps) * weight."""

    def __init__(self, width: int, eps: float) -> None:
        """All factors start at 1."""
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def reset_parameters(self) -> None:
        """Set all factors to 1."""
        nn.init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) or (N, C) -> the same shape."""
        spread = torch.rsqrt(x.var(1, keepdim=True) + self.eps)  # (N, 1, H, W)
        return x * spread * self.weight.view([-1] + [1] * (x.ndim - 2))


@norms.register("simplenorm")
@dataclass(frozen=True, kw_only=True)
class SimpleNorm(Norm):
    """Division by the unbiased deviation over the channels, with a scale, no shift and no centring."""

    eps: float = 1e-6

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return ChannelSimpleNorm(site.width, self.eps)

    def cost(self, site: Site) -> Cost:
        """The scale."""
        return norm_cost(site.width, bias=False)
