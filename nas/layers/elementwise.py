"""Element-wise activations."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

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
