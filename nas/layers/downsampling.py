"""Ways from one stage's map to the next: a separate layer, or the stride of the next stage's first block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from nas.cost import NOTHING, Cost, conv_cost
from nas.layers.base import Downsample, Norm, Site, downsamples
from nas.layers.layernorm import LayerNorm
from nas.schema.fields import Count


@downsamples.register("conv")
@dataclass(frozen=True, kw_only=True)
class ConvDownsample(Downsample):
    """A separate strided convolution, with a norm before it, after it, both or none.

    The default is ConvNeXt's (arXiv:2201.03545, section 2.6): layernorm, then 2x2 with stride 2. An odd kernel is
    padded to overlap: VAN's 3x3 with batchnorm after it, UniRepLKNet's 3x3 with layernorm after it.
    """

    kernel: Count = 2
    stride: Count = 2
    norm: Norm | None = LayerNorm()
    norm_after: Norm | None = None
    bias: bool = True

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H_out, W_out)."""
        conv = nn.Conv2d(
            site.width_in, site.width, self.kernel, stride=self.stride, padding=self._padding, bias=self.bias
        )
        layers: list[nn.Module] = [conv]
        if self.norm is not None:
            layers.insert(0, self.norm.build(Site(site.width_in, site.width_in, site.size)))
        if self.norm_after is not None:
            layers.append(self.norm_after.build(Site(site.width, site.width, self.size_out(site))))
        return nn.Sequential(*layers)

    def cost(self, site: Site) -> Cost:
        """Convolution and norms."""
        size = self.size_out(site)
        before = NOTHING if self.norm is None else self.norm.cost(Site(site.width_in, site.width_in, site.size))
        after = NOTHING if self.norm_after is None else self.norm_after.cost(Site(site.width, site.width, size))
        return before + conv_cost(site.width_in, site.width, self.kernel, size, bias=self.bias) + after

    def size_out(self, site: Site) -> int:
        """The usual convolution arithmetic."""
        return (site.size + 2 * self._padding - self.kernel) // self.stride + 1

    @property
    def _padding(self) -> int:
        return self.kernel // 2 if self.kernel % 2 else 0


@downsamples.register("in_block")
@dataclass(frozen=True, kw_only=True)
class InBlock(Downsample):
    """No layer of its own: the stage's first block strides, with a projected shortcut, as in ResNet."""

    stride: Count = 2
    in_block: ClassVar[bool] = True

    def build(self, site: Site) -> nn.Module:
        """The identity."""
        return nn.Identity()

    def cost(self, site: Site) -> Cost:
        """Nothing here; the block pays."""
        return NOTHING

    def size_out(self, site: Site) -> int:
        """The map is still whole when it reaches the block."""
        return site.size
