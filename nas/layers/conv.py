"""The convolution as a layer of a sequence, with every choice open that the published stems and heads differ in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from torch import nn

from nas.cost import Cost, conv_cost
from nas.errors import FieldError
from nas.layers.base import Layer, Site, layers
from nas.layers.depthwise import DepthwiseConv
from nas.layers.padding import Padding, TensorFlowConv
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import POSITIVE, Count, within


def convolution(
    site: Site, kernel: int, *, groups: int = 1, bias: bool = False, padding: Padding = "same"
) -> nn.Conv2d | Pointwise:
    """`site.width_in` -> `site.width` channels with `site.stride`; an odd kernel."""
    if padding == "tf" and site.stride > 1:
        return TensorFlowConv(site.width_in, site.width, kernel, stride=site.stride, groups=groups, bias=bias)
    if kernel == site.stride == groups == 1:
        return Pointwise(site.width_in, site.width, bias=bias)
    if groups == site.width_in == site.width:
        return DepthwiseConv(site.width, kernel, stride=site.stride, bias=bias)
    return nn.Conv2d(
        site.width_in, site.width, kernel, stride=site.stride, padding=kernel // 2, groups=groups, bias=bias
    )


@layers.register("conv")
@dataclass(frozen=True, kw_only=True)
class Conv(Layer):
    """A `kernel` x `kernel` convolution; with 1 x 1 and no stride a linear layer, which also takes pooled features.

    It puts out `width` channels, or `times` x floor(`ratio` x the channels of the place the sequence stands at: the
    stage's, and in a head those of the last stage). A `depthwise` one keeps the channels. `padding` is a number of
    pixels, or `same` (half the kernel, none for an even one), or `tf`.
    """

    kernel: Annotated[int, within(1, 511)] = 1
    stride: Count = 1
    width: Count | None = None
    ratio: Annotated[float, POSITIVE] = 1
    times: Count = 1
    bias: bool = True
    depthwise: bool = False
    padding: Annotated[int, within(0, 255)] | Padding = "same"

    def check(self) -> None:
        """Refuse what would be ignored."""
        if self.depthwise and (self.width is not None or self.ratio != 1 or self.times != 1):
            raise FieldError(
                "depthwise", "a depthwise convolution keeps the channels; leave width, ratio and times out"
            )
        if self.width is not None and (self.ratio != 1 or self.times != 1):
            raise FieldError("width", "says how many channels go out; leave ratio and times out")
        if self.padding == "tf" and self.kernel % 2 == 0:
            raise FieldError("padding", f"tf is for odd kernels, got {self.kernel}")

    def width_out(self, site: Site) -> int:
        """The stated width, or the share of the place's."""
        if self.depthwise:
            return site.width_in
        # a fraction such as 8/3 cannot be written exactly; a millionth keeps its whole multiples whole
        return self.width or self.times * max(1, math.floor(self.ratio * site.width + 1e-6))

    def folds(self, site: Site) -> bool:
        """A convolution with a bias or without."""
        return self.bias

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H_out, W_out), or (N, C_in) -> (N, C)."""
        width = self.width_out(site)
        groups = width if self.depthwise else 1
        if self._is_same:
            at = Site(site.width_in, width, site.size, self.stride)
            return convolution(at, self.kernel, groups=groups, bias=self.bias, padding=self.padding)  # type: ignore[arg-type]
        return nn.Conv2d(
            site.width_in, width, self.kernel, stride=self.stride, padding=self._pixels, groups=groups, bias=self.bias
        )

    def cost(self, site: Site) -> Cost:
        """The convolution."""
        width = self.width_out(site)
        if self.kernel == self.stride == 1 and not self.depthwise:
            return pointwise_cost(Site(site.width_in, width, self.size_out(site)), bias=self.bias)
        groups = width if self.depthwise else 1
        return conv_cost(site.width_in, width, self.kernel, self.size_out(site), groups=groups, bias=self.bias)

    def size_out(self, site: Site) -> int:
        """The usual arithmetic; rounded up where the padding is half an odd kernel."""
        if self._is_same:
            return -(-site.size // self.stride)
        return (site.size + 2 * self._pixels - self.kernel) // self.stride + 1

    @property
    def _is_same(self) -> bool:
        return isinstance(self.padding, str) and self.kernel % 2 == 1

    @property
    def _pixels(self) -> int:
        return 0 if isinstance(self.padding, str) else self.padding
