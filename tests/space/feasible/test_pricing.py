"""Prices of many blocks at once against the closed form of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from space_texts import space_with
from torch import nn

from nas.cost import Cost, parameter_cost
from nas.errors import FieldError
from nas.layers import Block, Mixer, Norm, Site, blocks
from nas.layers.depthwise import Depthwise
from nas.layers.layernorm import LayerNorm
from nas.space import SearchSpace, enumerating
from nas.space.feasible.block_table import BlockTable, block_table
from nas.space.feasible.pricing import COSTS, CombinedBlocks, costs_of

_MIXERS = "{choice: [{kind: depthwise, kernel: {choice: [3, 5]}}, {kind: large_kernel, kernel: 7}]}"
_NORMS = "{choice: [layernorm, rmsnorm]}"


class Unbuilt(Block):
    """A block that is only priced."""

    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        raise NotImplementedError


def table_with(kind: str, fields: str = f"mixer: {_MIXERS}, norm: {_NORMS}") -> tuple[SearchSpace, BlockTable]:
    space = space_with(block=f"{{kind: {kind}, {fields}}}", depth="1", width="[8]", downsample="null", more="")
    return space, block_table(space.root.columns.fields["block"], 0, 1)


def known_as(monkeypatch: pytest.MonkeyPatch, name: str, cls: type[Block]) -> None:
    """Register a kind for the time of a test."""
    monkeypatch.setitem(cast(dict[str, Any], blocks._things), name, cls)
    monkeypatch.setattr(cls, "kind", name)


def check(space: SearchSpace, table: BlockTable, site: Site) -> None:
    """Every block of the space has its own price."""
    prices, allowed = table.price(site, site)
    found = sorted(tuple(row) for row in prices[allowed].tolist())
    every = [architecture.stages[0].block(0) for architecture in enumerating(space)]
    assert found == sorted(costs_of(block, site) for block in every)


@pytest.mark.parametrize("site", [Site(8, 8, 16), Site(8, 16, 16, 2), Site(24, 8, 7)], ids=str)
def test_kind_is_priced_by_its_parts(site: Site) -> None:
    fields = f"mixer: {_MIXERS}, norm: {_NORMS}, ratio: {{choice: [0.5, 3]}}, hidden_norm: {{choice: [null, grn]}}"
    space, table = table_with("mixer_first", f"{fields}, norm_placement: {{choice: [every_conv, before_pointwise]}}")
    assert isinstance(table.sets[0], CombinedBlocks)
    check(space, table, site)
    assert isinstance(table.sets[0], CombinedBlocks)


@dataclass(frozen=True, kw_only=True)
class Peeking(Unbuilt):
    """Looks at what its mixer is."""

    mixer: Mixer = Depthwise()
    norm: Norm = LayerNorm()

    def cost(self, site: Site) -> Cost:
        extra = self.mixer.kernel if isinstance(self.mixer, Depthwise) else 0
        return self.mixer.cost(site) + self.norm.cost(site) + parameter_cost(extra)


@dataclass(frozen=True, kw_only=True)
class Crooked(Unbuilt):
    """Its price is no sum of prices."""

    mixer: Mixer = Depthwise()
    norm: Norm = LayerNorm()

    def cost(self, site: Site) -> Cost:
        return parameter_cost(self.mixer.cost(site).params * self.norm.cost(site).params)


@dataclass(frozen=True, kw_only=True)
class Strict(Unbuilt):
    """Has a rule that joins its parts."""

    mixer: Mixer = Depthwise()
    norm: Norm = LayerNorm()

    def check(self) -> None:
        if self.mixer == Depthwise(kernel=511):
            raise FieldError("mixer", "never")

    def cost(self, site: Site) -> Cost:
        return self.mixer.cost(site) * 3 + self.norm.cost(site)


@pytest.mark.parametrize("cls", [Peeking, Crooked, Strict])
def test_kind_that_looks_into_its_parts_is_priced_one_by_one(cls: type[Block], monkeypatch: pytest.MonkeyPatch) -> None:
    name = cls.__name__.lower()
    known_as(monkeypatch, name, cls)
    space, table = table_with(name)
    check(space, table, Site(8, 8, 16))
    assert not isinstance(table.sets[0], CombinedBlocks)
    feasible = space.within()
    rows = feasible.draw(6, np.random.default_rng(0))
    assert feasible.costs(rows)["params"].tolist() == [
        sum(part.cost.params for part in feasible.architecture(row).parts(space.task)) for row in rows
    ]


def test_costs_are_all_that_a_cost_has() -> None:
    assert COSTS == ("params", "flops", "activations", "train_params", "train_flops", "train_activations")
