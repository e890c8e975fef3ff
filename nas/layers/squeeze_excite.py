"""Squeeze-and-excitation: channels weighed by what the whole map holds (arXiv:1709.01507, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from nas.cost import Cost, linear_cost
from nas.layers.base import Activation, Gate, Site, gates
from nas.layers.elementwise import ReLU
from nas.schema.fields import Count


class SqueezeExcitation(nn.Module):
    """x * sigmoid(excite(act(squeeze(mean of x))))."""

    def __init__(self, width: int, hidden: int, act: nn.Module) -> None:
        """Make the two linear layers, with bias."""
        super().__init__()
        self.squeeze = nn.Linear(width, hidden)
        self.act = act
        self.excite = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        weights = self.excite(self.act(self.squeeze(x.mean((2, 3))))).sigmoid()  # (N, C)
        y: Tensor = x * weights[:, :, None, None]
        return y


@gates.register("squeeze_excite")
@dataclass(frozen=True, kw_only=True)
class SqueezeExcite(Gate):
    """Squeeze-and-excitation through a `reduction`-th of the width, or of the block's incoming one (`of: block_input`).

    The second is EfficientNet's and RegNetY's. The narrow width is rounded down, or to the nearest multiple of `round`.
    """

    reduction: Count = 4
    of: Literal["width", "block_input"] = "width"
    round: Count = 1
    act: Activation = ReLU()

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return SqueezeExcitation(site.width, self._hidden(site), self.act.build(site))

    def cost(self, site: Site) -> Cost:
        """Two linear layers at one position."""
        hidden = self._hidden(site)
        return linear_cost(site.width, hidden) + linear_cost(hidden, site.width) + self.act.cost(site)

    def _hidden(self, site: Site) -> int:
        whole = site.width if self.of == "width" else site.width_in
        return rounded(whole / self.reduction, self.round)


def rounded(width: float, multiple: int) -> int:
    """The nearest multiple, halves up, at least one; with a multiple of 1 rounded down."""
    steps = int(width) if multiple == 1 else int(width / multiple + 0.5)
    return max(1, steps) * multiple
