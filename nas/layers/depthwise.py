"""The k x k depthwise convolution of ConvNeXt (arXiv:2201.03545, sections 2.3 and 2.5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.cost import Cost, conv_cost
from nas.errors import FieldError
from nas.layers.base import Mixer, Site, mixers
from nas.layers.depthwise_cpu import depthwise_conv
from nas.layers.padding import Padding, TensorFlowConv
from nas.schema.fields import Count, Kernel

_HAS_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # untyped in torch


class DepthwiseConv(nn.Conv2d):
    """One filter a channel, odd and 'same' padded; every depthwise convolution of ours is this module.

    On a CPU it computes in channels-last memory, without the rim of the kernel that only ever meets the padding, and
    with stride 1 by the ways of `nas.layers.depthwise_cpu`. Elsewhere, and in exported graphs, it is `nn.Conv2d`.
    """

    def __init__(
        self,
        width: int,
        kernel: int,
        *,
        columns: int | None = None,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        """Make a convolution over `width` channels with `kernel` rows and, unless square, `columns`."""
        sides = (kernel, columns or kernel)
        padding = (dilation * (sides[0] // 2), dilation * (sides[1] // 2))
        super().__init__(
            width, width, sides, stride=stride, padding=padding, dilation=dilation, groups=width, bias=bias
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            y: Tensor = self._conv_forward(x, self.weight, self.bias)
        else:
            y = self._as_fits(x)
        return y

    def _as_fits(self, x: Tensor) -> Tensor:
        on_cpu = x.device.type == "cpu"
        if on_cpu:
            x = x.contiguous(memory_format=torch.channels_last)
        if on_cpu and not _becomes_a_graph():
            return self._on_cpu(x)
        y: Tensor = self._conv_forward(x, self.weight, self.bias)
        return y

    def _on_cpu(self, x: Tensor) -> Tensor:
        dilation = self.dilation[0]
        weight = _within(self.weight, x, dilation)
        if weight.shape[2:] == (1, 1):
            y = x[:, :, :: self.stride[0], :: self.stride[1]] * weight[:, 0]
            return y if self.bias is None else y + self.bias[:, None, None]
        if self.stride == (1, 1) and min(weight.shape[2:]) > 1 and _HAS_ONEDNN and _is_single(x):
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


def rectangle_cost(width: int, points: int, size_out: int, *, bias: bool = True) -> Cost:
    """`points` weights a channel."""
    return conv_cost(points, width, 1, size_out, bias=bias)  # one channel out of `points` values at every position


@mixers.register("depthwise")
@dataclass(frozen=True, kw_only=True)
class Depthwise(Mixer):
    """One filter per channel, `kernel` x `kernel` or, with `columns`, `kernel` rows of that many; `site.stride`.

    `padding: tf` is that of TensorFlow's networks.
    """

    kernel: Kernel = 7
    bias: bool = True
    columns: Kernel | None = None
    dilation: Count = 1
    padding: Padding = "same"

    def check(self) -> None:
        """A square kernel is written one way, and TensorFlow's padding is for those."""
        if self.padding == "tf" and (self.columns is not None or self.dilation > 1):
            raise FieldError("padding", "tf is for square kernels without dilation")
        if self.columns == self.kernel:
            raise FieldError("columns", f"a {self.kernel} x {self.columns} kernel is square; leave columns out")

    def folds(self, site: Site) -> bool:
        """A convolution with a bias or without."""
        return self.bias

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        width = site.width
        if self.padding == "tf" and site.stride > 1:
            return TensorFlowConv(width, width, self.kernel, stride=site.stride, groups=width, bias=self.bias)
        return DepthwiseConv(
            width, self.kernel, columns=self.columns, stride=site.stride, dilation=self.dilation, bias=self.bias
        )

    def cost(self, site: Site) -> Cost:
        """As many weights a channel as the kernel has points."""
        if self.columns is None:
            return depthwise_cost(site.width, self.kernel, site.size_out, bias=self.bias)
        return rectangle_cost(site.width, self.kernel * self.columns, site.size_out, bias=self.bias)
