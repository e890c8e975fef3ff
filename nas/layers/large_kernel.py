"""RepLKNet's large depthwise kernel with a parallel small one (arXiv:2203.06717, guideline 3).

Differs from the paper's block: no 1x1 pair around it; `projected` adds that.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import Cost
from nas.errors import FieldError
from nas.layers.base import Mixer, Site, mixers
from nas.layers.parallel_kernels import Kernels, ParallelKernels, parallel_cost
from nas.schema.fields import Kernel


@mixers.register("large_kernel")
@dataclass(frozen=True, kw_only=True)
class LargeKernel(Mixer):
    """A large and, unless it is null, a small depthwise kernel, each with batch norm; one kernel when deployed."""

    kernel: Kernel = 31
    small: Kernel | None = 5

    def check(self) -> None:
        """The small kernel must fit into the large one to be merged with it."""
        if self.small is not None and self.small > self.kernel:
            raise FieldError("small", f"must not be larger than the kernel of {self.kernel}, got {self.small}")

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        return ParallelKernels(site.width, self._shapes, stride=site.stride)

    def cost(self, site: Site) -> Cost:
        """One kernel when deployed, both with their norms when trained."""
        return parallel_cost(site, self._shapes)

    @property
    def _shapes(self) -> list[Kernels]:
        return [Kernels(self.kernel)] + ([] if self.small is None else [Kernels(self.small)])
