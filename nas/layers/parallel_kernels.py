"""Parallel depthwise convolutions that become one: what RepLKNet's and UniRepLKNet's mixers have in common.

'Scaling Up Your Kernels to 31x31' (arXiv:2203.06717, section 3.2) and 'UniRepLKNet' (arXiv:2311.15599, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.cost import NOTHING, Cost, norm_cost
from nas.layers.base import Site
from nas.layers.depthwise import DepthwiseConv, depthwise_cost
from nas.layers.depthwise_cpu import spread
from nas.layers.fusable import Fusable, folded


class Kernels(NamedTuple):
    """One branch: its kernel and the distance between the kernel's points."""

    kernel: int
    dilation: int = 1

    @property
    def reach(self) -> int:
        """The side of the dense kernel that computes the same."""
        return self.dilation * (self.kernel - 1) + 1


class Branch(nn.Module):
    """A depthwise convolution without bias, then batch norm."""

    def __init__(self, width: int, shape: Kernels, stride: int) -> None:
        """Make the branch of a shape."""
        super().__init__()
        self.conv = DepthwiseConv(width, shape.kernel, stride=stride, dilation=shape.dilation, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        y: Tensor = self.norm(self.conv(x))
        return y

    def merged(self, kernel: int) -> tuple[Tensor, Tensor]:
        """Weight (C, 1, kernel, kernel) and bias (C,), in float64, of the dense convolution that computes the same."""
        weight, bias = folded(self.conv, self.norm)
        return _centred(spread(weight, self.conv.dilation[0]), kernel), bias


class ParallelKernels(Fusable):
    """The sum of depthwise convolutions, each with its batch norm; no branch reaches beyond the first."""

    def __init__(self, width: int, shapes: Sequence[Kernels], *, stride: int = 1) -> None:
        """Make the branches; the first is the large, dense one."""
        super().__init__()
        self.width = width
        self.kernel = shapes[0].kernel
        self.stride = stride
        self.branches = nn.ModuleList(Branch(width, shape, stride) for shape in shapes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        y = x
        for index, branch in enumerate(self.branches):
            y = branch(x) if index == 0 else y + branch(x)
        return y

    @torch.no_grad()
    def fused(self) -> DepthwiseConv:
        """The one convolution, with a bias, that computes the sum in evaluation mode."""
        parts = [branch.merged(self.kernel) for branch in self.branches if isinstance(branch, Branch)]
        like = next(self.parameters())
        conv = DepthwiseConv(self.width, self.kernel, stride=self.stride).to(device=like.device, dtype=like.dtype)
        weights, biases = zip(*parts, strict=True)
        conv.load_state_dict({"weight": sum(weights), "bias": sum(biases)})
        return conv.train(self.training)


def _centred(weight: Tensor, kernel: int) -> Tensor:
    """A small kernel in the middle of a larger one."""
    return functional.pad(weight, [(kernel - weight.shape[-1]) // 2] * 4)


def parallel_cost(site: Site, shapes: Sequence[Kernels]) -> Cost:
    """One biased convolution when deployed, all branches with their norms when trained."""
    training = NOTHING
    for shape in shapes:
        training += depthwise_cost(site.width, shape.kernel, site.size_out, bias=False) + norm_cost(site.width)
    return depthwise_cost(site.width, shapes[0].kernel, site.size_out).trained_as(training)
