"""A convolution as a block: convolution, norm, activation, with a shortcut if asked.

EfficientNetV2's first stage (arXiv:2104.00298, official code; with the shortcut around all of it) and MobileNetV4's
first ones (arXiv:2404.10518, tables 11 to 15).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from nas.cost import Cost, conv_cost
from nas.errors import FieldError
from nas.layers.base import Activation, Block, Norm, Site, blocks
from nas.layers.batchnorm import BatchNorm
from nas.layers.conv import convolution
from nas.layers.drop_path import DropPath
from nas.layers.elementwise import ReLU
from nas.layers.padding import Padding
from nas.layers.residual import ResidualBlock
from nas.schema.fields import Kernel


@blocks.register("conv")
@dataclass(frozen=True, kw_only=True)
class ConvBlock(Block):
    """act(norm(conv(x))), the convolution without bias; plus x, where `shortcut` is set and width and map are kept."""

    kernel: Kernel = 3
    norm: Norm = BatchNorm()
    act: Activation = ReLU()
    shortcut: bool = False
    padding: Padding = "same"

    def require(self, site: Site) -> None:
        """Nothing may be said that would be ignored."""
        if self.padding == "tf" and self.kernel == 1:
            raise FieldError("padding", "a 1x1 convolution has none; leave padding out")

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        after = site.inside(site.width)
        branch = nn.Sequential()
        branch.add_module("conv", convolution(site, self.kernel, padding=self.padding))
        branch.add_module("norm", self.norm.build(after))
        branch.add_module("act", self.act.build(after))
        if not self.shortcut or site.changes_shape:
            return nn.Sequential(OrderedDict(branch=branch))
        if drop_path:
            branch.add_module("drop_path", DropPath(drop_path))
        return ResidualBlock(branch, nn.Identity(), nn.Identity())

    def cost(self, site: Site) -> Cost:
        """Convolution and norm."""
        conv = conv_cost(site.width_in, site.width, self.kernel, site.size_out, bias=False)
        return conv + self.norm.cost(site.inside(site.width)) + self.act.cost(site)
