"""The grouped k x k convolution of ResNeXt ('Aggregated Residual Transformations', arXiv:1611.05431, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.errors import FieldError
from nas.layers.base import Mixer, Site, mixers
from nas.schema.fields import Count, Kernel


@mixers.register("grouped")
@dataclass(frozen=True, kw_only=True)
class Grouped(Mixer):
    """A k x k convolution within `groups` groups of channels; `groups` must divide the width."""

    kernel: Kernel = 3
    groups: Count = 32
    bias: bool = False

    def require(self, site: Site) -> None:
        """Raise FieldError where the groups would not be equal."""
        if site.width % self.groups:
            raise FieldError("groups", f"must divide the {site.width} channels of the mixer, got {self.groups}")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        return nn.Conv2d(
            site.width, site.width, self.kernel, stride=site.stride, padding=self.kernel // 2, groups=self.groups,
            bias=self.bias,
        )  # fmt: skip

    def cost(self, site: Site) -> Cost:
        """C x C / groups x k x k weights."""
        return conv_cost(site.width, site.width, self.kernel, site.size_out, groups=self.groups, bias=self.bias)
