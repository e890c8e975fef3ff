"""Pooling: PoolFormer's mixer, and the global mean as a layer of heads."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from nas.cost import NOTHING, Cost
from nas.layers.base import Layer, Mixer, Site, layers, mixers, refuse_stride
from nas.layers.pool_norm_linear import GlobalPool
from nas.schema.fields import Kernel


class PoolingDifference(nn.Module):
    """The mean of a position's surroundings, less the position itself."""

    def __init__(self, kernel: int) -> None:
        """Set the side of the surroundings."""
        super().__init__()
        self.kernel = kernel

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        mean = functional.avg_pool2d(x, self.kernel, stride=1, padding=self.kernel // 2, count_include_pad=False)
        return mean - x

    def extra_repr(self) -> str:
        """The side, for `print(model)`."""
        return str(self.kernel)


@mixers.register("pooling")
@dataclass(frozen=True, kw_only=True)
class Pooling(Mixer):
    """Average pooling less its input ('MetaFormer is Actually What You Need', arXiv:2111.11418, section 3.2).

    At the border the mean is that of the pixels inside the map.
    """

    kernel: Kernel = 3

    def require(self, site: Site) -> None:
        """Raise FieldError where the map would shrink."""
        refuse_stride(self, site)

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        return PoolingDifference(self.kernel)

    def cost(self, site: Site) -> Cost:
        """Nothing: no parameters, no convolution."""
        return NOTHING


@layers.register("pool")
@dataclass(frozen=True, kw_only=True)
class Pool(Layer):
    """The mean over all positions; what follows it works on the pooled features."""

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C)."""
        return GlobalPool()

    def cost(self, site: Site) -> Cost:
        """Nothing."""
        return NOTHING

    def size_out(self, site: Site) -> int:
        """One position."""
        return 1
