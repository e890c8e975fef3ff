"""The metaformer block: a residual that mixes positions, then one that mixes channels (arXiv:2111.11418, figure 1).

Conv2Former's (arXiv:2211.11943), RepLKNet's (arXiv:2203.06717; two blocks in its code), VAN's (arXiv:2202.09741),
HorNet's (arXiv:2207.14284), MogaNet's (arXiv:2211.03295), ConvFormer's and PoolFormer's (arXiv:2210.13452) and
FocalNet's (arXiv:2203.11926) are points of it; with one branch MambaOut's (arXiv:2405.07992), FasterNet's
(arXiv:2303.03667) and StarNet's (arXiv:2403.19967); with a mixer that has its own shortcut RepViT's (arXiv:2307.09283).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    """shortcut(x) + mix(x), then shortcut(x) + feed(x)."""

    def __init__(self, mix: nn.Module, feed: nn.Module, mix_shortcut: nn.Module, feed_shortcut: nn.Module) -> None:
        """Join both residual branches."""
        super().__init__()
        self.mix = mix
        self.feed = feed
        self.mix_shortcut = mix_shortcut
        self.feed_shortcut = feed_shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        x = self.mix_shortcut(x) + self.mix(x)
        y: Tensor = self.feed_shortcut(x) + self.feed(x)
        return y


class MixerBlock(nn.Module):
    """shortcut(x) + mix(x)."""

    def __init__(self, mix: nn.Module, shortcut: nn.Module) -> None:
        """Put a shortcut around a branch."""
        super().__init__()
        self.mix = mix
        self.mix_shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        y: Tensor = self.mix_shortcut(x) + self.mix(x)
        return y


class MixThenFeed(nn.Module):
    """mix(x), then shortcut(x) + feed(x)."""

    def __init__(self, mix: nn.Module, feed: nn.Module, shortcut: nn.Module) -> None:
        """Join a branch without and one with a shortcut."""
        super().__init__()
        self.mix = mix
        self.feed = feed
        self.feed_shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        x = self.mix(x)
        y: Tensor = self.feed_shortcut(x) + self.feed(x)
        return y


@blocks.register("metaformer")
@dataclass(frozen=True, kw_only=True)
class Metaformer(Block):
    """norm, mixer, layer scale; then norm, ffn, layer scale; both residual, with one drop-path rate.

    The norm stands before each branch or, with `norm_placement: after`, between it and its layer scale; norms inside a
    branch belong to the mixer or the ffn. Without an `ffn` the block is the first branch alone (MambaOut, FasterNet,
    StarNet). `residual_scale` is the start of a learned factor a channel on the shortcuts (ConvFormer), and `shortcut:
    ffn` leaves the mixer without one, because it has its own (RepViT). The block keeps width and map: stages of it are
    joined by a separate downsample.
    """

    mixer: Mixer = Depthwise()
    ffn: FeedForward | None = MLP()
    norm: Norm | None = LayerNorm()
    layer_scale: float | None = None
    norm_placement: Literal["before", "after"] = "before"
    residual_scale: float | None = None
    shortcut: Literal["both", "ffn"] = "both"

    def require(self, site: Site) -> None:
        """Raise FieldError where the block would have to change the map or the width, or something said be ignored."""
        if self.norm is None and self.norm_placement != "before":
            raise FieldError("norm_placement", "there is no norm to place; leave norm_placement out")
        if self.ffn is None and self.shortcut == "ffn":
            raise FieldError("shortcut", "there is no ffn to put one around; leave shortcut out")
        if site.changes_shape:
            raise FieldError("block", "metaformer keeps map and width; use a separate downsample between the stages")
        self.mixer.require(site)
        if self.ffn is not None:
            self.ffn.require(site)

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C, H, W) -> (N, C, H, W)."""
        mix = self._branch("mixer", self.mixer.build(site), site, drop_path)
        if self.ffn is None:
            return MixerBlock(mix, self._shortcut(site))
        feed = self._branch("ffn", self.ffn.build(site), site, drop_path)
        if self.shortcut == "ffn":
            return MixThenFeed(mix, feed, self._shortcut(site))
        return MetaformerBlock(mix, feed, self._shortcut(site), self._shortcut(site))

    def cost(self, site: Site) -> Cost:
        """Mixer, ffn; for each a norm, a layer scale and the factors on its shortcut."""
        branches = 1 if self.ffn is None else 2
        cost = self.mixer.cost(site)
        if self.ffn is not None:
            cost += self.ffn.cost(site)
        if self.norm is not None:
            cost += self.norm.cost(site) * branches
        if self.layer_scale is not None:
            cost += parameter_cost(branches * site.width)
        if self.residual_scale is not None:
            cost += parameter_cost((branches if self.shortcut == "both" else 1) * site.width)
        return cost

    def _shortcut(self, site: Site) -> nn.Module:
        return nn.Identity() if self.residual_scale is None else LayerScale(site.width, self.residual_scale)

    def _branch(self, name: str, inner: nn.Module, site: Site, drop_path: float) -> nn.Sequential:
        branch = nn.Sequential()
        if self.norm is not None and self.norm_placement == "before":
            branch.add_module("norm", self.norm.build(site))
        branch.add_module(name, inner)
        if self.norm is not None and self.norm_placement == "after":
            branch.add_module("norm", self.norm.build(site))
        if self.layer_scale is not None:
            branch.add_module("scale", LayerScale(site.width, self.layer_scale))
        if drop_path:
            branch.add_module("drop_path", DropPath(drop_path))
        return branch
