"""Depthwise convolutions of stride 1 on a CPU, by detours around the slow paths of PyTorch's kernels.

All figures: torch 2.13 with oneDNN 3, Sapphire Rapids, one thread, batch 8, float32, milliseconds. What is chosen
depends on shapes alone and never on a clock, so that a training repeats bit for bit.

* Channels-last memory throughout: 1.4 to 7 times faster than NCHW for kernels up to 9, 17 to 60 times from 15 on.
* The kernel for 15 points runs twice as fast as the one for 13 (14x14x384: 2.2 against 4.7), so 13 is widened to 15.
* A dilated kernel that reaches beyond 6 leaves the fast path; it is computed as a dense one with zeros between its
  points (7 points, dilation 3, 28x28x192: 7.6 against 21.2).
* The input's gradient is the forward pass with the kernel turned round (31x31, 56x56x96: 42 against 71; 7 points with
  dilation 2, 28x28x192: 1.9 against 22.5).
* The weight's gradient is one convolution of the maps with the outgoing gradients as kernels, a group for each of the
  N C planes. It wants NCHW and, from a padding of 7 on, zeros that are really there (5x5, 28x28x192: 5.3 against 9.4;
  7x7: 6.3 against 15.8; 13x13: 10 against 47; 31x31: 41 against 1,042). With up to three columns PyTorch's own way is
  the fastest as long as the rows fit the map (forward and backward, 28x28x96: 7x3 in 3.3 against 5.9, 21x3 in 4.8
  against 11; 51x3, which does not fit, in 28 against 12).
* Rectangles gain as squares do (batch 4, forward and backward: 51x5, 56x56x64: 20 against 68; 5x51: 21 against 202;
  13x5, 7x7x256: 0.8 against 2.5); bands, with one side of 1, do not and are left to PyTorch (11x1, 28x28x96: 5.3
  against 1.2).
* bfloat16 is slower than float32 in all of these (31x31, 56x56x96: 63 against 42), so autocast leaves them alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional, grad

_FAST_PADDING = 6
_SLOW_KERNEL, _FASTER_KERNEL = 13, 15
_OWN_WEIGHT_GRADIENT_FROM = 5


def depthwise_conv(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int) -> Tensor:
    """'Same' depthwise convolution in float32, whatever autocast says: (N, C, H, W), (C, 1, K, K) -> (N, C, H, W)."""
    if torch.is_autocast_enabled("cpu"):
        with torch.autocast("cpu", enabled=False):
            return depthwise_conv(x.float(), weight.float(), None if bias is None else bias.float(), dilation)
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        y: Tensor = DepthwiseFunction.apply(x, weight, bias, dilation)  # type: ignore[no-untyped-call]
        return y
    return _convolve(x, weight, bias, dilation)


class DepthwiseFunction(torch.autograd.Function):
    """The convolution with both of its gradients as convolutions; all differentiable once more."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _convolve(x, weight, bias, dilation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the map, the weight and the bias, where they are asked for."""
        (outgoing,) = gradients
        x, weight = ctx.saved_tensors
        wants_x, wants_weight, wants_bias, _ = ctx.needs_input_grad
        with torch.autocast("cpu", enabled=False):
            return (
                _convolve(outgoing, weight.flip(2, 3), None, ctx.dilation) if wants_x else None,
                _weight_gradient(x, outgoing, weight.shape, ctx.dilation) if wants_weight else None,
                outgoing.sum((0, 2, 3)) if wants_bias else None,
                None,
            )


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int) -> Tensor:
    x = x.contiguous(memory_format=torch.channels_last)
    if dilation > 1 and max(_padding(weight.shape, dilation)) > _FAST_PADDING:
        weight, dilation = spread(weight, dilation), 1
    if dilation == 1 and weight.shape[2] == weight.shape[3] == _SLOW_KERNEL:
        weight = functional.pad(weight, [(_FASTER_KERNEL - _SLOW_KERNEL) // 2] * 4)
    padding = _padding(weight.shape, dilation)
    return functional.conv2d(x, weight, bias, padding=padding, dilation=dilation, groups=x.shape[1])


def _weight_gradient(x: Tensor, outgoing: Tensor, shape: torch.Size, dilation: int) -> Tensor:
    """(N, C, H, W) twice -> (C, 1, K, K)."""
    n, c, h, w = x.shape
    padding = _padding(shape, dilation)
    if _stock_is_fast(shape, h, dilation):
        outgoing = outgoing.contiguous(memory_format=torch.channels_last)
        stock: Tensor = grad.conv2d_weight(  # type: ignore[no-untyped-call]  # untyped in torch
            x, shape, outgoing, padding=padding, dilation=dilation, groups=c
        )
        return stock
    planes, left = _planes(x, padding)
    products = functional.conv2d(
        planes, outgoing.reshape(n * c, 1, h, w), padding=left, stride=dilation, groups=n * c
    )  # (1, N C, K, K)
    return products.view(n, c, *shape[2:]).sum(0).unsqueeze(1)


def _stock_is_fast(shape: torch.Size, height: int, dilation: int) -> bool:
    """Whether PyTorch's own weight gradient of a kernel (C, 1, rows, columns) is the fastest on maps of a height."""
    rows, columns = shape[2:]
    if columns >= _OWN_WEIGHT_GRADIENT_FROM:
        return False
    return rows < _OWN_WEIGHT_GRADIENT_FROM or (dilation == 1 and rows <= height)


def _planes(x: Tensor, padding: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
    """The N C planes as channels of one map, (1, N C, ...), and the padding that is still to be done."""
    if max(padding) > _FAST_PADDING:
        x, padding = functional.pad(x.contiguous(), [padding[1], padding[1], padding[0], padding[0]]), (0, 0)
    return x.reshape(1, -1, *x.shape[2:]), padding


def _padding(shape: torch.Size, dilation: int) -> tuple[int, int]:
    return dilation * (shape[2] // 2), dilation * (shape[3] // 2)


def spread(weight: Tensor, dilation: int) -> Tensor:
    """The dense kernel of a dilated one: `dilation` - 1 zeros between its points."""
    if dilation == 1:
        return weight
    height, width = (dilation * (side - 1) + 1 for side in weight.shape[2:])
    dense = weight.new_zeros(*weight.shape[:2], height, width)
    dense[:, :, ::dilation, ::dilation] = weight
    return dense
