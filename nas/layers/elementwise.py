"""Element-wise activations; those with learned scalars count them as parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from nas.layers.base import Activation, Site, activations


@activations.register("relu")
@dataclass(frozen=True, kw_only=True)
class ReLU(Activation):
    """max(x, 0)."""

    def build(self, site: Site) -> nn.Module:
        """Shape kept."""
        return nn.ReLU()


@activations.register("gelu")
@dataclass(frozen=True, kw_only=True)
class GELU(Activation):
    """x Phi(x) with the exact error function, as in the papers' code (arXiv:1606.08415)."""

    def build(self, site: Site) -> nn.Module:
        """Shape kept."""
        return nn.GELU()


@activations.register("silu")
@dataclass(frozen=True, kw_only=True)
class SiLU(Activation):
    """x sigmoid(x) (arXiv:1702.03118)."""

    def build(self, site: Site) -> nn.Module:
        """Shape kept."""
        return nn.SiLU()


@activations.register("hardswish")
@dataclass(frozen=True, kw_only=True)
class Hardswish(Activation):
    """x relu6(x + 3) / 6 (arXiv:1905.02244, section 5.2)."""

    def build(self, site: Site) -> nn.Module:
        """Shape kept."""
        return nn.Hardswish()


@activations.register("relu6")
@dataclass(frozen=True, kw_only=True)
class ReLU6(Activation):
    """min(max(x, 0), 6) (arXiv:1801.04381, section 3)."""

    def build(self, site: Site) -> nn.Module:
        """Shape kept."""
        return nn.ReLU6()


class SquaredReLUModule(nn.Module):
    """max(x, 0) squared."""

    def forward(self, x: Tensor) -> Tensor:
        """Shape kept."""
        return x.relu().square()


@activations.register("squared_relu")
@dataclass(frozen=True, kw_only=True)
class SquaredReLU(Activation):
    """max(x, 0) squared (arXiv:2109.08668, section 3)."""

    def build(self, site: Site) -> nn.Module:
        """Shape kept."""
        return SquaredReLUModule()


class StarReLUModule(nn.Module):
    """scale * max(x, 0) squared + bias, both learned, both of shape (1,)."""

    def __init__(self) -> None:
        """Start as the squared ReLU."""
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def reset_parameters(self) -> None:
        """Set the scale to 1 and the bias to 0."""
        nn.init.ones_(self.scale)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Shape kept."""
        return self.scale * x.relu().square() + self.bias


@activations.register("starrelu")
@dataclass(frozen=True, kw_only=True)
class StarReLU(Activation):
    """scale * max(x, 0) squared + bias with one learned scalar each ('MetaFormer Baselines', arXiv:2210.13452, 3.4)."""

    learned: ClassVar[int] = 2

    def build(self, site: Site) -> nn.Module:
        """Shape kept."""
        return StarReLUModule()
