"""Global response normalisation ('ConvNeXt V2', arXiv:2301.00808, section 3.2, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas.cost import Cost, norm_cost
from nas.layers.base import Norm, Site, norms


class GlobalResponseNorm(nn.Module):
    """x + gamma * x * (the channel's norm over the map / the mean of all channels' norms) + beta."""

    def __init__(self, width: int, eps: float) -> None:
        """Start as the identity: gamma and beta are 0."""
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.zeros(width))
        self.beta = nn.Parameter(torch.zeros(width))

    def reset_parameters(self) -> None:
        """Set gamma and beta to 0."""
        nn.init.zeros_(self.gamma)
        nn.init.zeros_(self.beta)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) or (N, C) -> the same shape."""
        shape = [-1] + [1] * (x.ndim - 2)
        response = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True) if x.ndim > 2 else x.abs()
        share = response / (response.mean(1, keepdim=True) + self.eps)  # (N, C, 1, 1)
        return x + self.gamma.view(shape) * (x * share) + self.beta.view(shape)


@norms.register("grn")
@dataclass(frozen=True, kw_only=True)
class GRN(Norm):
    """Global response normalisation, which makes channels compete; the identity at the start."""

    eps: float = 1e-6

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return GlobalResponseNorm(site.width, self.eps)

    def cost(self, site: Site) -> Cost:
        """Gamma and beta."""
        return norm_cost(site.width)
