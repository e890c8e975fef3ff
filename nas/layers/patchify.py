"""The patchify stem: a convolution whose stride is its kernel (ConvNeXt, arXiv:2201.03545, section 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import nn

from nas.cost import NOTHING, Cost, conv_cost
from nas.layers.base import Norm, Site, Stem, shared_width, stems
from nas.layers.layernorm import LayerNorm
from nas.schema.fields import POSITIVE, Count


@stems.register("patchify")
@dataclass(frozen=True, kw_only=True)
class Patchify(Stem):
    """`patch` x `patch` convolution with stride `patch`, then a norm or none (isotropic ConvNeXt).

    `share`: its channels, as a share of the first stage's width.
    """

    patch: Count = 4
    norm: Norm | None = LayerNorm()
    share: Annotated[float, POSITIVE] = 1

    def width(self, stage_width: int) -> int:
        """The share."""
        return shared_width(self.share, stage_width)

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H // patch, W // patch)."""
        conv = nn.Conv2d(site.width_in, site.width, self.patch, stride=self.patch)
        return nn.Sequential(conv) if self.norm is None else nn.Sequential(conv, self.norm.build(self._after(site)))

    def cost(self, site: Site) -> Cost:
        """Convolution and norm."""
        after = self._after(site)
        return conv_cost(site.width_in, site.width, self.patch, after.size) + (
            NOTHING if self.norm is None else self.norm.cost(after)
        )

    def size_out(self, site: Site) -> int:
        """No padding: pixels beyond the last whole patch are not seen."""
        return site.size // self.patch

    def _after(self, site: Site) -> Site:
        return Site(site.width, site.width, self.size_out(site))
