"""Layers one after the other: what stems, downsamples, heads, chains and branches that are lists have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import nn

from nas.cost import NOTHING, Cost
from nas.layers.base import Site, Step
from nas.layers.batchnorm import BatchNorm, MapBatchNorm
from nas.layers.fusable import Fusable, deployed, with_norm

Steps = tuple[Step, ...]


class Placed(NamedTuple):
    """A step and where it stands."""

    step: Step
    site: Site


def placed(steps: Sequence[Step], site: Site) -> Iterator[Placed]:
    """Every step with its site; `site.width` stays that of the place for layers that may change the channels."""
    width, size = site.width_in, site.size
    for step in steps:
        at = Site(width, site.width if step.sees_place else width, size)
        yield Placed(step, at)
        width, size = step.width_out(at), step.size_out(at)


def outgoing(steps: Sequence[Step], site: Site) -> tuple[int, int]:
    """Channels and side of the map that go out."""
    width, size = site.width_in, site.size
    for step, at in placed(steps, site):
        width, size = step.width_out(at), step.size_out(at)
    return width, size


def require_steps(steps: Sequence[Step], site: Site) -> None:
    """Raise FieldError where a step cannot stand at its site."""
    for step, at in placed(steps, site):
        step.require_inside(at)


def steps_cost(steps: Sequence[Step], site: Site, *, fold: bool = False) -> Cost:
    """All steps; with `fold`, deployed batch norms are part of the convolution before them."""
    cost, absorbed = NOTHING, None
    for step, at in placed(steps, site):
        one = step.cost(at)
        if fold and isinstance(step, BatchNorm) and absorbed is not None:
            one = replace(one, params=0 if absorbed else at.width)  # the bias that the convolution gains
        cost += one
        absorbed = step.folds(at)
    return cost


def build_steps(steps: Sequence[Step], site: Site, *, fold: bool = False) -> nn.Sequential:
    """The modules, named by their number."""
    modules = (step.build(at) for step, at in placed(steps, site))
    return FoldingSequence(*modules) if fold else nn.Sequential(*modules)


class FoldingSequence(nn.Sequential, Fusable):
    """Layers whose batch norms become part of the convolutions before them when deployed."""

    def fused(self) -> nn.Sequential:
        """The same layers under the same names, without the norms that are folded."""
        modules = nn.Sequential()
        last = ""
        for name, child in self.named_children():
            before = getattr(modules, last, None)
            if isinstance(child, MapBatchNorm) and isinstance(before, nn.Conv2d | nn.Linear):
                setattr(modules, last, with_norm(before, child))
            else:
                modules.add_module(name, deployed(child))
                last = name
        return modules.train(self.training)
