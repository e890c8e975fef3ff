"""Group normalisation with one group ('Group Normalization', arXiv:1803.08494), which is PoolFormer's norm.

It takes mean and variance over channels and positions together ('MetaFormer is Actually What You Need',
arXiv:2111.11418, official code).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, norm_cost
from nas.layers.base import Norm, Site, norms


class MapGroupNorm(nn.GroupNorm):
    """`nn.GroupNorm` of one group, whose shift can be left out."""

    def __init__(self, width: int, eps: float, *, bias: bool) -> None:
        """Start as the identity after the normalisation."""
        super().__init__(1, width, eps=eps)
        if not bias:
            self.register_parameter("bias", None)

    def reset_parameters(self) -> None:
        """Set the scale to 1 and the shift, if there is one, to 0."""
        nn.init.ones_(self.weight)
        if getattr(self, "bias", None) is not None:
            nn.init.zeros_(self.bias)


@norms.register("groupnorm")
@dataclass(frozen=True, kw_only=True)
class GroupNorm(Norm):
    """Normalisation over positions and channels together, one group, with a scale and mostly a shift."""

    eps: float = 1e-6
    bias: bool = True

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return MapGroupNorm(site.width, self.eps, bias=self.bias)

    def cost(self, site: Site) -> Cost:
        """Scale and shift."""
        return norm_cost(site.width, bias=self.bias)
