"""Effective squeeze-and-excitation: one linear map instead of two ('CenterMask', arXiv:1911.06667, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from nas.cost import Cost, linear_cost
from nas.layers.base import Gate, Site, gates


class EffectiveSqueezeExcitation(nn.Module):
    """x * hardsigmoid(linear(mean of x))."""

    def __init__(self, width: int) -> None:
        """Make the linear layer, with bias."""
        super().__init__()
        self.excite = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        weights = functional.hardsigmoid(self.excite(x.mean((2, 3))))  # (N, C)
        return x * weights[:, :, None, None]


@gates.register("effective_se")
@dataclass(frozen=True, kw_only=True)
class EffectiveSE(Gate):
    """Channels weighed by a linear map of the map's mean, without a narrow layer between."""

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return EffectiveSqueezeExcitation(site.width)

    def cost(self, site: Site) -> Cost:
        """One linear layer at one position."""
        return linear_cost(site.width, site.width)
