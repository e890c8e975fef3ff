"""RDNet's dense block: layers that each see the block's input and all outputs before theirs, concatenated.

'DenseNets Reloaded: Paradigm Shift Beyond ResNets and ViTs' (arXiv:2403.19588, section 3; official code).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from nas.cost import NOTHING, Cost, parameter_cost
from nas.errors import FieldError
from nas.layers.base import Activation, Block, Gate, Mixer, Norm, Site, blocks
from nas.layers.depthwise import Depthwise
from nas.layers.drop_path import DropPath
from nas.layers.elementwise import GELU
from nas.layers.layer_scale import LayerScale
from nas.layers.layernorm import LayerNorm
from nas.layers.pointwise import Pointwise, pointwise_cost
from nas.schema.fields import POSITIVE, Count

_HIDDEN_STEP = 8


class DenseConnections(nn.Module):
    """x -> x and the outputs of all layers, each of which gets everything before it."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        """Keep the layers in order."""
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_in + layers x growth, H, W)."""
        for layer in self.layers:
            x = torch.cat((x, layer(x)), dim=1)
        return x


@blocks.register("dense")
@dataclass(frozen=True, kw_only=True)
class DenseBlock(Block):
    """`layers` times: mixer, norm, pointwise to `ratio` times the channels so far, activation, pointwise to the growth.

    The hidden width is rounded down to a multiple of 8, and the growth is what makes the block's channels of the
    incoming ones in equal parts. `gate` and layer scale follow. Differs from the official code: stochastic depth has
    one rate for the layers of a block.
    """

    layers: Count = 3
    mixer: Mixer = Depthwise()
    norm: Norm = LayerNorm()
    act: Activation = GELU()
    ratio: Annotated[float, POSITIVE] = 4
    gate: Gate | None = None
    layer_scale: float | None = 1e-6

    def require(self, site: Site) -> None:
        """Raise FieldError where the map would shrink, or the layers cannot add equal parts."""
        if site.stride != 1:
            raise FieldError("block", "dense keeps the map; use a separate downsample between the stages")
        grown = site.width - site.width_in
        if grown < 1 or grown % self.layers:
            raise FieldError("layers", f"{self.layers} layers cannot each add as much to {site.width_in} channels "
                             f"to make {site.width} of them")  # fmt: skip
        for seen in self._sites(site):
            self.mixer.require(seen)

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H, W)."""
        return DenseConnections([self._layer(seen, self._growth(site), drop_path) for seen in self._sites(site)])

    def cost(self, site: Site) -> Cost:
        """All layers."""
        growth, cost = self._growth(site), NOTHING
        grown = Site(growth, growth, site.size)
        for seen in self._sites(site):
            hidden = self._hidden(seen)
            cost += self.mixer.cost(seen) + self.norm.cost(seen) + self.act.cost(seen)
            cost += pointwise_cost(Site(seen.width, hidden, site.size)) + pointwise_cost(
                Site(hidden, growth, site.size)
            )
            if self.gate is not None:
                cost += self.gate.cost(grown)
            if self.layer_scale is not None:
                cost += parameter_cost(growth)
        return cost

    def _layer(self, seen: Site, growth: int, drop_path: float) -> nn.Sequential:
        hidden, grown = self._hidden(seen), Site(growth, growth, seen.size)
        layer = nn.Sequential()
        layer.add_module("mixer", self.mixer.build(seen))
        layer.add_module("norm", self.norm.build(seen))
        layer.add_module("expand", Pointwise(seen.width, hidden))
        layer.add_module("act", self.act.build(seen.inside(hidden)))
        layer.add_module("reduce", Pointwise(hidden, growth))
        if self.gate is not None:
            layer.add_module("gate", self.gate.build(grown))
        if self.layer_scale is not None:
            layer.add_module("scale", LayerScale(growth, self.layer_scale))
        if drop_path:
            layer.add_module("drop_path", DropPath(drop_path))
        return layer

    def _growth(self, site: Site) -> int:
        return (site.width - site.width_in) // self.layers

    def _sites(self, site: Site) -> list[Site]:
        """What each layer sees."""
        widths = (site.width_in + index * self._growth(site) for index in range(self.layers))
        return [Site(width, width, site.size) for width in widths]

    def _hidden(self, seen: Site) -> int:
        return max(1, int(self.ratio * seen.width) // _HIDDEN_STEP) * _HIDDEN_STEP
