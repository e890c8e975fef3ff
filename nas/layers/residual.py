"""The residual connection around a branch ('Deep Residual Learning', arXiv:1512.03385, section 3.2 and option B)."""

from __future__ import annotations

from torch import Tensor, nn

from nas.cost import NOTHING, Cost, conv_cost
from nas.layers.base import Norm, Site


class ResidualBlock(nn.Module):
    """end(shortcut(x) + branch(x))."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module, end: nn.Module) -> None:
        """Join the residual branch, the shortcut and what follows the addition."""
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        y: Tensor = self.end(self.shortcut(x) + self.branch(x))
        return y


def projection(site: Site, norm: Norm) -> nn.Module:
    """The shortcut: the identity, or a strided 1x1 convolution without bias and a norm where the shape changes."""
    if not site.changes_shape:
        return nn.Identity()
    project = nn.Conv2d(site.width_in, site.width, 1, stride=site.stride, bias=False)
    return nn.Sequential(project, norm.build(site.inside(site.width)))


def projection_cost(site: Site, norm: Norm) -> Cost:
    """What `projection` costs."""
    if not site.changes_shape:
        return NOTHING
    return conv_cost(site.width_in, site.width, 1, site.size_out, bias=False) + norm.cost(site.inside(site.width))
