"""Batch normalisation ('Batch Normalization', arXiv:1502.03167), with PyTorch's eps of 1e-5 and momentum of 0.1."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from nas.cost import Cost, norm_cost
from nas.layers.base import Norm, Site, norms


class MapBatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` that also takes pooled features."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) or (N, C) -> the same shape."""
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # the average of all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        return functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            0.0 if momentum is None else momentum,
            self.eps,
        )


@norms.register("batchnorm")
@dataclass(frozen=True, kw_only=True)
class BatchNorm(Norm):
    """Batch normalisation, affine, with running statistics."""

    eps: float = 1e-5

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return MapBatchNorm(site.width, eps=self.eps)

    def cost(self, site: Site) -> Cost:
        """Scale and shift; the running statistics are buffers, not parameters."""
        return norm_cost(site.width)
