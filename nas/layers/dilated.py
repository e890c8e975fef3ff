"""UniRepLKNet's dilated re-parameterised block (arXiv:2311.15599, section 3.1 and table 1 of its code)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

from nas.cost import Cost
from nas.layers.base import Mixer, Site, mixers
from nas.layers.parallel_kernels import Kernels, ParallelKernels, parallel_cost

_BRANCHES: Mapping[int, tuple[tuple[int, int], ...]] = {
    5: ((3, 1), (3, 2)),
    7: ((5, 1), (3, 2), (3, 3)),
    9: ((5, 1), (5, 2), (3, 3), (3, 4)),
    11: ((5, 1), (5, 2), (3, 3), (3, 4), (3, 5)),
    13: ((5, 1), (7, 2), (3, 3), (3, 4), (3, 5)),
    15: ((5, 1), (7, 2), (3, 3), (3, 5), (3, 7)),
    17: ((5, 1), (9, 2), (3, 4), (3, 5), (3, 7)),
}
"""Kernel and dilation of the branches beside the large kernel, as the official code sets them."""


@mixers.register("dilated")
@dataclass(frozen=True, kw_only=True)
class Dilated(Mixer):
    """A large depthwise kernel and dilated small ones beside it, each with batch norm; one kernel when deployed."""

    kernel: Literal[5, 7, 9, 11, 13, 15, 17] = 13

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        return ParallelKernels(site.width, self._shapes, stride=site.stride)

    def cost(self, site: Site) -> Cost:
        """One kernel when deployed, every branch with its norm when trained."""
        return parallel_cost(site, self._shapes)

    @property
    def _shapes(self) -> list[Kernels]:
        return [Kernels(self.kernel), *(Kernels(kernel, dilation) for kernel, dilation in _BRANCHES[self.kernel])]
