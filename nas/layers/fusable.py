"""What can change its form after training: several parallel branches that become one layer."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Fusable(nn.Module, ABC):
    """A module that is trained in one form and deployed in another one that computes the same in evaluation mode."""

    @abstractmethod
    def fused(self) -> nn.Module:
        """A new module in the deployed form; this one stays as it is."""


@torch.no_grad()
def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias, in float64, of the one convolution that computes `norm(conv(x))` in evaluation mode."""
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("a batch norm without running statistics cannot be folded into a convolution")
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    start = torch.zeros_like(scale) if conv.bias is None else conv.bias.double()
    weight = conv.weight.double() * scale[:, None, None, None]
    return weight, norm.bias.double() + (start - norm.running_mean.double()) * scale
