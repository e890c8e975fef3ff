"""The 1x1 convolution, as a linear layer over the channels.

On a map in channels-last memory the permutations are free and the linear layer is one matrix product, with the
parameter shapes of the official ConvNeXt code (`pwconv1.weight`: (out, in)).
"""

from __future__ import annotations

from torch import Tensor, nn

from nas.cost import Cost, linear_cost
from nas.layers.base import Site


class Pointwise(nn.Linear):
    """A linear layer applied at every position."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H, W)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def pointwise_cost(site: Site, *, bias: bool = True) -> Cost:
    """`site.width_in` -> `site.width` channels at every position of the outgoing map."""
    return linear_cost(site.width_in, site.width, positions=site.size_out**2, bias=bias)
