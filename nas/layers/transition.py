"""RepLKNet's way between stages: widen at every position, then a strided depthwise 3x3 (arXiv:2203.06717, 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost
from nas.layers.base import Activation, Downsample, Norm, Site, downsamples
from nas.layers.batchnorm import BatchNorm
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.elementwise import ReLU
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import Count


@downsamples.register("transition")
@dataclass(frozen=True, kw_only=True)
class Transition(Downsample):
    """1x1, norm, activation, depthwise 3x3 with the stride, norm, activation; no bias."""

    stride: Count = 2
    norm: Norm = BatchNorm()
    act: Activation = ReLU()

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        inside = Site(site.width, site.width, site.size)
        layers = nn.Sequential()
        layers.add_module("conv_1", Pointwise(site.width_in, site.width, bias=False))
        layers.add_module("norm_1", self.norm.build(inside))
        layers.add_module("act_1", self.act.build(inside))
        layers.add_module("conv_2", DepthwiseConv(site.width, 3, stride=self.stride, bias=False))
        layers.add_module("norm_2", self.norm.build(inside))
        layers.add_module("act_2", self.act.build(inside))
        return layers

    def cost(self, site: Site) -> Cost:
        """Both convolutions and norms."""
        cost = pointwise_cost(Site(site.width_in, site.width, site.size), bias=False)
        cost += depthwise_cost(site.width, 3, self.size_out(site), bias=False)
        return (
            cost
            + self.norm.cost(Site(site.width, site.width, site.size)) * 2
            + self.act.cost(Site(site.width, site.width, site.size)) * 2
        )

    def size_out(self, site: Site) -> int:
        """Rounded up."""
        return -(-site.size // self.stride)
