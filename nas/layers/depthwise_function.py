"""Depthwise convolution with stride 1 on a CPU, several times faster than PyTorch's own, above all backwards.

The input's gradient is the forward kernel with flipped weights. The weights' gradient is a convolution too: of the
input with the output's gradient as its kernel, one group for each sample and channel; large maps are cut into tiles,
because kernels of more than about 14 points a side are slow. Torch 2.13, one thread, forward in channels last:

* 7x7 at 14x14, 4 x 384 channels: backward 6.9 ms -> 1.1 ms;
* 13x13 at 28x28, 4 x 192 channels: 31.9 ms -> 9 ms;
* 31x31 at 56x56, 4 x 96 channels: 1,109 ms -> 114 ms.

Only plain convolutions of plain tensors: FLOPs counted by tracing are those of `nn.Conv2d`, which is used there.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

_STOCK = 5
"""Up to this kernel PyTorch's own weight gradient is the fastest."""
_SMALL_MAP, _TILE = 28, 14
_SLOW, _NEXT = 13, 15
"""13x13 takes more than twice the time of 15x15."""


def depthwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(N, C, H, W) with `weight` (C, 1, k, k), k odd, 'same' padding -> (N, C, H, W) in channels-last memory."""
    if not torch.is_grad_enabled():
        return _convolve(x, weight, bias)
    y: Tensor = _Depthwise.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return y


class _Depthwise(torch.autograd.Function):
    """The pairing of `_convolve` with its gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _convolve(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        with torch.autocast(x.device.type, enabled=False):
            return (
                _convolve(gradient, weight.flip(2, 3), None) if for_x else None,
                _weight_gradient(x, gradient, weight) if for_weight else None,
                gradient.sum((0, 2, 3)) if for_bias else None,
            )


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if weight.shape[-1] == _SLOW:
        weight = functional.pad(weight, [(_NEXT - _SLOW) // 2] * 4)
    x = x.contiguous(memory_format=torch.channels_last)
    return functional.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, groups=x.shape[1])


def _weight_gradient(x: Tensor, gradient: Tensor, weight: Tensor) -> Tensor:
    """(N, C, H, W) twice -> (C, 1, k, k)."""
    kernel, (batch, channels, height, width) = weight.shape[-1], x.shape
    if kernel <= _STOCK:
        return _stock_weight_gradient(x, gradient, weight)
    largest = max(height, width)
    if kernel < _NEXT and largest <= _TILE:
        image, filters = x.reshape(1, -1, height, width), gradient.reshape(-1, 1, height, width)
        sums = functional.conv2d(image, filters, padding=kernel // 2, groups=batch * channels)
    elif kernel < _NEXT and largest <= _SMALL_MAP:
        image, filters = _grouped_last(x)[None], _grouped_last(gradient)[:, None]
        sums = functional.conv2d(image, filters, padding=kernel // 2, groups=batch * channels)
    else:
        sums = _tiled(x, gradient, kernel)
    return sums.view(-1, channels, kernel, kernel).sum(0)[:, None]


def _stock_weight_gradient(x: Tensor, gradient: Tensor, weight: Tensor) -> Tensor:
    pad, one = [weight.shape[-1] // 2] * 2, [1, 1]
    wanted = [False, True, False]
    result: Tensor = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, one, pad, one, False, [0, 0], x.shape[1], wanted
    )[1]
    return result


def _grouped_last(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N * C, H, W), with the groups last in memory."""
    batch, channels, height, width = x.shape
    return x.permute(2, 3, 0, 1).reshape(height, width, batch * channels).permute(2, 0, 1)


def _tiled(x: Tensor, gradient: Tensor, kernel: int) -> Tensor:
    """One group for each tile of the map: (1, tiles * N * C, k, k)."""
    whole = max(x.shape[2:]) <= _SMALL_MAP
    high, wide = (side if whole else _tile(side) for side in x.shape[2:])
    more_high, more_wide = -x.shape[2] % high, -x.shape[3] % wide
    reach = kernel // 2
    padded = functional.pad(x, (reach, reach + more_wide, reach, reach + more_high))
    windows = padded.unfold(2, high + kernel - 1, high).unfold(3, wide + kernel - 1, wide)
    tiles = functional.pad(gradient, (0, more_wide, 0, more_high)).unfold(2, high, high).unfold(3, wide, wide)
    if whole and max(high, wide) > _TILE:  # filters this large are faster with the groups last in memory
        image, filters = _grouped_last(windows[:, :, 0, 0])[None], _grouped_last(tiles[:, :, 0, 0])[:, None]
    else:
        image = windows.permute(2, 3, 0, 1, 4, 5).reshape(1, -1, *windows.shape[4:])
        filters = tiles.permute(2, 3, 0, 1, 4, 5).reshape(-1, 1, high, wide)
    return functional.conv2d(image, filters, groups=image.shape[1])


def _tile(side: int) -> int:
    """About 14, so that little is left over."""
    return math.ceil(side / math.ceil(side / _TILE))
