"""Stems, downsamples and heads as lists of layers: the named kinds of each are shorthands of such lists."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from nas.cost import NOTHING, Cost, linear_cost
from nas.errors import FieldError
from nas.layers.base import Downsample, Head, Site, Stem, downsamples, heads, stems
from nas.layers.batchnorm import BatchNorm
from nas.layers.conv import Conv
from nas.layers.layernorm import LayerNorm
from nas.layers.pool import Pool
from nas.layers.sequence import Steps, build_steps, outgoing, require_steps, steps_cost
from nas.schema.fields import Count


@stems.register("layers")
@dataclass(frozen=True, kw_only=True)
class LayeredStem(Stem):
    """`layers` one after the other, which put out `channels`, or as many as the first stage has.

    A convolution's `ratio` is a share of these. `fold`: when deployed, batch norms are part of the convolutions right
    before them.
    """

    layers: Steps = (Conv(kernel=4, stride=4), LayerNorm())
    channels: Count | None = None
    fold: bool = False

    def width(self, stage_width: int) -> int:
        """Its own channels, or the stage's."""
        return self.channels or stage_width

    def require(self, site: Site) -> None:
        """The layers' rules, and that they put out what the stem says."""
        require_steps(self.layers, site)
        _require_width(outgoing(self.layers, site)[0], site)

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H_out, W_out)."""
        return build_steps(self.layers, site, fold=self.fold)

    def cost(self, site: Site) -> Cost:
        """All layers."""
        return steps_cost(self.layers, site, fold=self.fold)

    def size_out(self, site: Site) -> int:
        """What the last layer leaves."""
        return outgoing(self.layers, site)[1]


@downsamples.register("layers")
@dataclass(frozen=True, kw_only=True)
class LayeredDownsample(Downsample):
    """`layers` one after the other, which put out as many channels as the next stage has, or `channels`.

    `fold` as in a stem.
    """

    layers: Steps = (LayerNorm(), Conv(kernel=2, stride=2))
    channels: Count | None = None
    fold: bool = False

    def width_out(self, site: Site) -> int:
        """Its own channels, or the stage's."""
        return self.channels or site.width

    def require(self, site: Site) -> None:
        """The layers' rules, and that they put out what the stage needs."""
        at = self._at(site)
        require_steps(self.layers, at)
        _require_width(outgoing(self.layers, at)[0], at)

    def build(self, site: Site) -> nn.Module:
        """(N, C_in, H, W) -> (N, C, H_out, W_out)."""
        return build_steps(self.layers, self._at(site), fold=self.fold)

    def cost(self, site: Site) -> Cost:
        """All layers."""
        return steps_cost(self.layers, self._at(site), fold=self.fold)

    def size_out(self, site: Site) -> int:
        """What the last layer leaves."""
        return outgoing(self.layers, self._at(site))[1]

    def _at(self, site: Site) -> Site:
        return Site(site.width_in, self.width_out(site), site.size)


@heads.register("layers")
@dataclass(frozen=True, kw_only=True)
class LayeredHead(Head):
    """`layers` one after the other, `pool` among them, then a linear classifier.

    A convolution's `ratio` is in channels of the last stage; after the pooling it is a linear layer. `fold` as in a
    stem.
    """

    layers: Steps = (Pool(), BatchNorm())
    fold: bool = False

    def check(self) -> None:
        """One pooling."""
        if sum(isinstance(step, Pool) for step in self.layers) != 1:
            raise FieldError("layers", "the layers of a head hold 'pool' once: before the classifier the map is pooled")

    def require(self, site: Site) -> None:
        """The layers' rules."""
        require_steps(self.layers, self._at(site))

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, classes), or pooled features without classes."""
        head = nn.Sequential()
        head.add_module("layers", build_steps(self.layers, self._at(site), fold=self.fold))
        if site.width:
            head.add_module("linear", nn.Linear(outgoing(self.layers, self._at(site))[0], site.width))
        return head

    def cost(self, site: Site) -> Cost:
        """All layers and the classifier."""
        at = self._at(site)
        cost = steps_cost(self.layers, at, fold=self.fold)
        return cost + (linear_cost(outgoing(self.layers, at)[0], site.width) if site.width else NOTHING)

    @staticmethod
    def _at(site: Site) -> Site:
        return Site(site.width_in, site.width_in, site.size)


def _require_width(found: int, site: Site) -> None:
    if found != site.width:
        raise FieldError("layers", f"must put out {site.width} channels, but the last convolution has {found}")
