"""InceptionNeXt's mixer: one large depthwise kernel taken apart into a square, a row and a column.

'InceptionNeXt: When Inception Meets ConvNeXt' (arXiv:2303.16900, section 3.2, equation 2): a share of the channels goes
to each of three branches, all others pass as they are, which is what makes it fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Mixer, Site, mixers, refuse_stride
from nas.schema.fields import Kernel, within


class InceptionDepthwise(nn.Module):
    """Three depthwise convolutions side by side, each on its own `share` channels; the rest is untouched."""

    def __init__(self, width: int, share: int, square: int, band: int) -> None:
        """Make the branches, all with bias."""
        super().__init__()
        self.widths = [width - 3 * share, share, share, share]
        self.square = nn.Conv2d(share, share, square, padding=square // 2, groups=share)
        self.row = nn.Conv2d(share, share, (1, band), padding=(0, band // 2), groups=share)
        self.column = nn.Conv2d(share, share, (band, 1), padding=(band // 2, 0), groups=share)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        rest, square, row, column = torch.split(x, self.widths, dim=1)
        return torch.cat((rest, self.square(square), self.row(row), self.column(column)), dim=1)


@mixers.register("inception")
@dataclass(frozen=True, kw_only=True)
class Inception(Mixer):
    """A `kernel` x `kernel`, a 1 x `band` and a `band` x 1 depthwise convolution on `ratio` of the channels each."""

    kernel: Kernel = 3
    band: Kernel = 11
    ratio: Annotated[float, within(0.01, 0.33)] = 0.125

    def require(self, site: Site) -> None:
        """Raise FieldError where the map would shrink."""
        refuse_stride(self, site)

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return InceptionDepthwise(site.width, self._share(site), self.kernel, self.band)

    def cost(self, site: Site) -> Cost:
        """The square and the two bands, which have `band` weights a channel."""
        share = self._share(site)
        square = conv_cost(share, share, self.kernel, site.size_out, groups=share)
        band = conv_cost(self.band, share, 1, site.size_out)
        return square + band + band

    def _share(self, site: Site) -> int:
        return max(1, int(site.width * self.ratio))
