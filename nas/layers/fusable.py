"""What can change its form after training: several parallel branches that become one layer."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Conv2d | nn.Linear)


class Fusable(nn.Module, ABC):
    """A module that is trained in one form and deployed in another one that computes the same in evaluation mode."""

    @abstractmethod
    def fused(self) -> nn.Module:
        """A new module in the deployed form; this one stays as it is."""


def deployed(module: nn.Module) -> nn.Module:
    """A copy in which everything that has a deployed form has taken it; `module` stays as it is."""
    if isinstance(module, Fusable):
        return module.fused()
    found = copy.deepcopy(module)
    _deploy_children(found)
    return found


def _deploy_children(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, Fusable):
            setattr(module, name, child.fused())
        else:
            _deploy_children(child)


@torch.no_grad()
def folded(conv: nn.Conv2d | nn.Linear, norm: nn.modules.batchnorm._BatchNorm) -> tuple[Tensor, Tensor]:
    """Weight and bias, in float64, of the one layer that computes `norm(conv(x))` in evaluation mode."""
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("a batch norm without running statistics cannot be folded into a convolution")
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    start = torch.zeros_like(scale) if conv.bias is None else conv.bias.double()
    weight = conv.weight.double() * scale.view(-1, *(1,) * (conv.weight.ndim - 1))
    return weight, norm.bias.double() + (start - norm.running_mean.double()) * scale


def with_norm(conv: M, norm: nn.modules.batchnorm._BatchNorm) -> M:
    """A copy of a convolution or linear layer, with a bias, that computes `norm(conv(x))` in evaluation mode."""
    weight, bias = folded(conv, norm)
    found = copy.deepcopy(conv)
    found.weight = nn.Parameter(weight.to(conv.weight.dtype))
    found.bias = nn.Parameter(bias.to(conv.weight.dtype))
    return found
