"""The k x k depthwise convolution of ConvNeXt (arXiv:2201.03545, sections 2.3 and 2.5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.cost import Cost, conv_cost
from nas.layers.base import Mixer, Site, mixers
from nas.layers.depthwise_cpu import depthwise_conv
from nas.schema.fields import Kernel

_HAS_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # untyped in torch


class DepthwiseConv(nn.Conv2d):
    """One `kernel` x `kernel` filter a channel, 'same' padding; every depthwise convolution of ours is this module.

    On a CPU it computes in channels-last memory, without the rim of the kernel that only ever meets the padding, and
    with stride 1 by the ways of `nas.layers.depthwise_cpu`. Elsewhere, and in exported graphs, it is `nn.Conv2d`.
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
        x = x.contiguous(memory_format=torch.channels_last)
        return super().forward(x) if _becomes_a_graph() else self._on_cpu(x)

    def _on_cpu(self, x: Tensor) -> Tensor:
        dilation = self.dilation[0]
        weight = _within(self.weight, x, dilation)
        if weight.shape[2:] == (1, 1):
            y = x[:, :, :: self.stride[0], :: self.stride[1]] * weight[:, 0]
            return y if self.bias is None else y + self.bias[:, None, None]
        if self.stride == (1, 1) and _HAS_ONEDNN and _is_single(x):
            return depthwise_conv(x, weight, self.bias, dilation)
        padding = [dilation * (side // 2) for side in weight.shape[2:]]
        return functional.conv2d(x, weight, self.bias, self.stride, padding, dilation, groups=self.groups)


def _within(weight: Tensor, x: Tensor, dilation: int) -> Tensor:
    """The part of a kernel that meets a map: at most 2 H - 1 points a side, 1 on a 1 x 1 map."""
    rows, columns = (
        slice(max(0, side // 2 - reach), side // 2 + reach + 1)
        for side, reach in zip(weight.shape[2:], [(size - 1) // dilation for size in x.shape[2:]], strict=True)
    )
    return weight[:, :, rows, columns]


def _is_single(x: Tensor) -> bool:
    return x.dtype == torch.float32 or (torch.is_autocast_enabled("cpu") and x.dtype != torch.float64)


def _becomes_a_graph() -> bool:
    """Whether a graph for other sizes and machines is being recorded, which must not depend on this map's size."""
    traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]  # untyped in torch
    return traced or (torch.compiler.is_compiling() and not torch.compiler.is_dynamo_compiling())


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
