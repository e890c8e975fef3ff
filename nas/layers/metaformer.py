"""The metaformer block: a residual that mixes positions, then one that mixes channels (arXiv:2111.11418, figure 1).

Conv2Former's (arXiv:2211.11943), RepLKNet's (arXiv:2203.06717; two blocks in its code) and VAN's (arXiv:2202.09741)
are points of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from nas.cost import Cost, parameter_cost
from nas.errors import FieldError
from nas.layers.base import Block, FeedForward, Mixer, Norm, Site, blocks
from nas.layers.depthwise import Depthwise
from nas.layers.drop_path import DropPath
from nas.layers.layer_scale import LayerScale
from nas.layers.layernorm import LayerNorm
from nas.layers.mlp import MLP


class MetaformerBlock(nn.Module):
    """x + mix(x), then x + feed(x)."""

    def __init__(self, mix: nn.Module, feed: nn.Module) -> None:
        """Join both residual branches."""
        super().__init__()
        self.mix = mix
        self.feed = feed

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        x = x + self.mix(x)
        y: Tensor = x + self.feed(x)
        return y


@blocks.register("metaformer")
@dataclass(frozen=True, kw_only=True)
class Metaformer(Block):
    """norm, mixer, layer scale; then norm, ffn, layer scale; both residual, with one drop-path rate.

    The norm stands before each branch; norms inside a branch belong to the mixer or the ffn. The block keeps width and
    map: stages of it are joined by a separate downsample.
    """

    mixer: Mixer = Depthwise()
    ffn: FeedForward = MLP()
    norm: Norm = LayerNorm()
    layer_scale: float | None = None

    def require(self, site: Site) -> None:
        """Raise FieldError where the block would have to change the map or the width."""
        if site.changes_shape:
            raise FieldError("block", "metaformer keeps map and width; use a separate downsample between the stages")
        self.mixer.require(site)
        self.ffn.require(site)

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        mix = self._branch("mixer", self.mixer.build(site), site, drop_path)
        feed = self._branch("ffn", self.ffn.build(site), site, drop_path)
        return MetaformerBlock(mix, feed)

    def cost(self, site: Site) -> Cost:
        """Mixer, ffn, a norm and a layer scale before and after each."""
        cost = self.mixer.cost(site) + self.ffn.cost(site) + self.norm.cost(site) * 2
        return cost if self.layer_scale is None else cost + parameter_cost(2 * site.width)

    def _branch(self, name: str, inner: nn.Module, site: Site, drop_path: float) -> nn.Sequential:
        branch = nn.Sequential()
        branch.add_module("norm", self.norm.build(site))
        branch.add_module(name, inner)
        if self.layer_scale is not None:
            branch.add_module("scale", LayerScale(site.width, self.layer_scale))
        if drop_path:
            branch.add_module("drop_path", DropPath(drop_path))
        return branch
