"""The grouped k x k convolution of ResNeXt ('Aggregated Residual Transformations', arXiv:1611.05431, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.errors import FieldError
from nas.layers.base import Mixer, Site, mixers
from nas.schema.fields import Count, Kernel

_DEFAULT_GROUPS = 32


@mixers.register("grouped")
@dataclass(frozen=True, kw_only=True)
class Grouped(Mixer):
    """A k x k convolution within `groups` groups of channels; `groups` must divide the width.

    `group_width` says instead how many channels a group has (RegNet, arXiv:2003.13678); all, where there are fewer.
    """

    kernel: Kernel = 3
    groups: Count = _DEFAULT_GROUPS
    bias: bool = False
    group_width: Count | None = None

    def check(self) -> None:
        """Refuse what would be ignored."""
        if self.group_width is not None and self.groups != _DEFAULT_GROUPS:
            raise FieldError("groups", "group_width says how many groups there are; leave groups out")

    def require(self, site: Site) -> None:
        """Raise FieldError where the groups would not be equal."""
        if self.group_width is not None and site.width % min(self.group_width, site.width):
            told = f"must divide the {site.width} channels of the mixer, got {self.group_width}"
            raise FieldError("group_width", told)
        if site.width % self._groups(site):
            raise FieldError("groups", f"must divide the {site.width} channels of the mixer, got {self.groups}")

    @property
    def multiple(self) -> int:
        """The groups, or their width."""
        return self.group_width or self.groups

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        width, groups = site.width, self._groups(site)
        return nn.Conv2d(
            width, width, self.kernel, stride=site.stride, padding=self.kernel // 2, groups=groups, bias=self.bias
        )

    def cost(self, site: Site) -> Cost:
        """C x C / groups x k x k weights."""
        return conv_cost(site.width, site.width, self.kernel, site.size_out, groups=self._groups(site), bias=self.bias)

    def _groups(self, site: Site) -> int:
        return self.groups if self.group_width is None else site.width // min(self.group_width, site.width)
