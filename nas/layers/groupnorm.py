"""Group normalisation ('Group Normalization', arXiv:1803.08494); with one group it is PoolFormer's norm.

One group takes mean and variance over channels and positions together ('MetaFormer is Actually What You Need',
arXiv:2111.11418, official code).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, norm_cost
from nas.errors import FieldError
from nas.layers.base import Norm, Site, norms
from nas.schema.fields import Count


class MapGroupNorm(nn.GroupNorm):
    """`nn.GroupNorm` whose shift can be left out."""

    def __init__(self, groups: int, width: int, eps: float, *, bias: bool) -> None:
        """Start as the identity after the normalisation."""
        super().__init__(groups, width, eps=eps)
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
    """Normalisation over positions and the channels of each of `groups` groups, with a scale and mostly a shift."""

    groups: Count = 1
    eps: float = 1e-6
    bias: bool = True

    def require(self, site: Site) -> None:
        """Raise FieldError where the groups would not be equal."""
        if site.width % self.groups:
            raise FieldError("groups", f"must divide the {site.width} channels of the norm, got {self.groups}")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return MapGroupNorm(self.groups, site.width, self.eps, bias=self.bias)

    def cost(self, site: Site) -> Cost:
        """Scale and shift."""
        return norm_cost(site.width, bias=self.bias)
