"""The k x k depthwise convolution of ConvNeXt (arXiv:2201.03545, sections 2.3 and 2.5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas.cost import Cost, conv_cost
from nas.layers.base import Mixer, Site, mixers
from nas.layers.depthwise_function import depthwise
from nas.schema.fields import Kernel


class DepthwiseConv(nn.Conv2d):
    """One `kernel` x `kernel` filter a channel, 'same' padding; every depthwise convolution of ours is this module.

    On a CPU, PyTorch's kernels for NCHW memory are 17 to 60 times slower than those for channels last from 15 x 15 on
    (31 x 31 at 56 x 56, batch 8, 128 channels: 1,895 ms against 54 ms), so that maps are brought to that format; with
    stride 1, `depthwise_function` computes the gradients. Under CPU autocast it stays in float32, which is faster.
    """

    def __init__(self, width: int, kernel: int, *, stride: int = 1, dilation: int = 1, bias: bool = True) -> None:
        """Make a convolution over `width` channels."""
        padding = dilation * (kernel // 2)
        super().__init__(
            width, width, kernel, stride=stride, padding=padding, dilation=dilation, groups=width, bias=bias
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        if x.device.type != "cpu":
            return super().forward(x)
        if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            return super().forward(x.contiguous(memory_format=torch.channels_last))
        if not torch.is_autocast_enabled("cpu"):
            return self._forward_on_cpu(x)
        with torch.autocast("cpu", enabled=False):
            return self._forward_on_cpu(x.to(self.weight.dtype))

    def _forward_on_cpu(self, x: Tensor) -> Tensor:
        if self.stride == (1, 1) and self.dilation == (1, 1):
            return depthwise(x, self.weight, self.bias)
        return super().forward(x.contiguous(memory_format=torch.channels_last))


def depthwise_cost(width: int, kernel: int, size_out: int, *, bias: bool = True) -> Cost:
    """K x k weights a channel, whatever the dilation."""
    return conv_cost(width, width, kernel, size_out, groups=width, bias=bias)


@mixers.register("depthwise")
@dataclass(frozen=True, kw_only=True)
class Depthwise(Mixer):
    """One k x k filter per channel, 'same' padding, `site.stride`."""

    kernel: Kernel = 7
    bias: bool = True

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        return DepthwiseConv(site.width, self.kernel, stride=site.stride, bias=self.bias)

    def cost(self, site: Site) -> Cost:
        """K x k weights a channel."""
        return depthwise_cost(site.width, self.kernel, site.size_out, bias=self.bias)
