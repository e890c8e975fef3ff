"""TensorFlow's padding, which the EfficientNets were trained with ('EfficientNetV2', arXiv:2104.00298, official code).

As little as gives ceil(size / stride), the odd pixel after the map and not before it; it differs from half the kernel
only where a convolution strides.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

Padding = Literal["same", "tf"]


class TensorFlowConv(nn.Conv2d):
    """A strided convolution with TensorFlow's 'same' padding, which depends on the map."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if kernel > stride:  # else there is none; so tested, the padding is one expression of the size in a graph
            height = (-(-x.shape[2] // stride) - 1) * stride + kernel - x.shape[2]
            width = (-(-x.shape[3] // stride) - 1) * stride + kernel - x.shape[3]
            x = functional.pad(x, [width // 2, width - width // 2, height // 2, height - height // 2])
        y: Tensor = self._conv_forward(x, self.weight, self.bias)
        return y
