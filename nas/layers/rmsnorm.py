"""Root mean square normalisation over the channels of a map (arXiv:1910.07467): layer norm without centring."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from nas.cost import Cost, norm_cost
from nas.layers.base import Norm, Site, norms


class ChannelRMSNorm(nn.RMSNorm):
    """`nn.RMSNorm` over the channels of (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) or (N, C) -> the same shape."""
        if x.ndim == 2:
            return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)
        last = x.permute(0, 2, 3, 1)
        return functional.rms_norm(last, self.normalized_shape, self.weight, self.eps).permute(0, 3, 1, 2)


@norms.register("rmsnorm")
@dataclass(frozen=True, kw_only=True)
class RMSNorm(Norm):
    """Root mean square normalisation over the channels, with a scale and no shift."""

    eps: float = 1e-6

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return ChannelRMSNorm(site.width, eps=self.eps)

    def cost(self, site: Site) -> Cost:
        """The scale."""
        return norm_cost(site.width, bias=False)
