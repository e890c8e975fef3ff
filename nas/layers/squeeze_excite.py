"""Squeeze-and-excitation: channels weighed by what the whole map holds (arXiv:1709.01507, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from nas.cost import Cost, linear_cost
from nas.layers.base import Gate, Site, gates
from nas.schema.fields import Count


class SqueezeExcitation(nn.Module):
    """x * sigmoid(excite(relu(squeeze(mean of x))))."""

    def __init__(self, width: int, hidden: int) -> None:
        """Make the two linear layers, with bias."""
        super().__init__()
        self.squeeze = nn.Linear(width, hidden)
        self.excite = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        weights = self.excite(self.squeeze(x.mean((2, 3))).relu()).sigmoid()  # (N, C)
        y: Tensor = x * weights[:, :, None, None]
        return y


@gates.register("squeeze_excite")
@dataclass(frozen=True, kw_only=True)
class SqueezeExcite(Gate):
    """Squeeze-and-excitation through a `reduction`-th of the width."""

    reduction: Count = 4

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return SqueezeExcitation(site.width, self._hidden(site))

    def cost(self, site: Site) -> Cost:
        """Two linear layers at one position."""
        hidden = self._hidden(site)
        return linear_cost(site.width, hidden) + linear_cost(hidden, site.width)

    def _hidden(self, site: Site) -> int:
        return max(1, site.width // self.reduction)
