from __future__ import annotations

import pytest
import torch
from torch import nn

from nas.architecture import Architecture, Stage, build
from nas.layers import LayerScale
from nas.layers.downsampling import ConvDownsample
from nas.layers.layernorm import LayerNorm
from nas.train import Recipe
from nas.train.optimizer import build_optimizer, set_learning_rate


def test_only_kernels_and_matrices_decay() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), LayerScale(8, 1.0), nn.Linear(8, 2))
    optimizer = build_optimizer(model, Recipe(weight_decay=0.3))
    decay = {id(one): group["weight_decay"] for group in optimizer.param_groups for one in group["params"]}
    for name, parameter in model.named_parameters():
        assert decay[id(parameter)] == (0.3 if name in ("0.weight", "3.weight") else 0.0), name


def test_frozen_parameters_are_left_alone() -> None:
    model = nn.Linear(2, 2)
    model.weight.requires_grad_(False)
    (group,) = build_optimizer(model, Recipe()).param_groups
    assert [id(one) for one in group["params"]] == [id(model.bias)]


def test_rate_is_set_for_every_group() -> None:
    optimizer = build_optimizer(nn.Linear(2, 2), Recipe())
    set_learning_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


def test_first_step_is_adamws() -> None:
    """With a constant gradient AdamW's first step is the learning rate, after the decay."""
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 2.0)
    optimizer = build_optimizer(model, Recipe(learning_rate=0.1, weight_decay=0.5))
    model(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    torch.testing.assert_close(model.weight.detach(), torch.full((1, 1), 2.0 * (1 - 0.1 * 0.5) - 0.1))


def rates(*depths: int, layer_decay: float) -> dict[str, float]:
    """The rate of every parameter of a network with these depths, as a share of the head's."""
    stages = (
        Stage(depth=depth, width=2, downsample=ConvDownsample() if index else None)
        for index, depth in enumerate(depths)
    )
    model = build(Architecture(stages=tuple(stages)), classes=3)
    optimizer = build_optimizer(model, Recipe(layer_decay=layer_decay, learning_rate=1.0))
    set_learning_rate(optimizer, 1.0)
    by_parameter = {id(one): group["lr"] for group in optimizer.param_groups for one in group["params"]}
    return {name: by_parameter[id(parameter)] for name, parameter in model.named_parameters()}


@pytest.mark.parametrize(
    ("depths", "powers"),
    [
        # ConvNeXt-B, arXiv:2201.03545: 12 layers of three blocks, numbered as in the authors' code.
        ((3, 3, 27, 3), {"stem": 13, "stages.0.blocks.0": 12, "stages.0.blocks.2": 12, "stages.1.downsample": 11,
                         "stages.2.downsample": 10, "stages.2.blocks.2": 10, "stages.2.blocks.3": 9,
                         "stages.2.blocks.26": 2, "stages.3.downsample": 1, "stages.3.blocks.2": 1, "head": 0}),
        # ConvNeXt-T: 6 layers.
        ((3, 3, 9, 3), {"stem": 7, "stages.0.blocks.0": 6, "stages.2.blocks.8": 2, "stages.3.blocks.0": 1, "head": 0}),
        # A layer ends with its stage: 3 + 1, 2 blocks.
        ((4, 2), {"stem": 4, "stages.0.blocks.2": 3, "stages.0.blocks.3": 2, "stages.1.downsample": 1, "head": 0}),
        # VAN-B6: 36 layers of three blocks, 13 of nine, 12 of ten.
        ((6, 6, 90, 6), {"stem": 13, "stages.1.blocks.5": 11, "stages.2.blocks.9": 10, "stages.2.blocks.10": 9,
                         "stages.3.blocks.0": 1, "head": 0}),
        # More stages than layers: a stage each.
        ((1,) * 14, {"stem": 15, "stages.0.blocks.0": 14, "stages.13.blocks.0": 1, "head": 0}),
    ],
)  # fmt: skip
def test_layer_decay_goes_by_three_blocks(depths: tuple[int, ...], powers: dict[str, int]) -> None:
    found = rates(*depths, layer_decay=0.5)
    for prefix, power in powers.items():
        assert {rate for name, rate in found.items() if name.startswith(f"{prefix}.")} == {0.5**power}, prefix


def test_a_closing_norm_learns_as_the_end_of_its_stage() -> None:
    stage = Stage(depth=5, width=2, norm=LayerNorm())
    model = build(Architecture(stages=(stage, Stage(depth=2, width=2, downsample=ConvDownsample()))), classes=3)
    optimizer = build_optimizer(model, Recipe(layer_decay=0.5))
    rate = {id(one): group["rate_scale"] for group in optimizer.param_groups for one in group["params"]}
    rates = {name: rate[id(parameter)] for name, parameter in model.named_parameters()}
    assert {rates[name] for name in rates if name.startswith("stages.0.norm.")} == {0.25}
    assert {rates[name] for name in rates if name.startswith("stages.0.blocks.4.")} == {0.25}
    assert {rates[name] for name in rates if name.startswith("stages.0.blocks.0.")} == {0.125}


def test_sgd_takes_the_same_exclusions() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimizer = build_optimizer(model, Recipe(optimizer="sgd", weight_decay=0.1))
    assert isinstance(optimizer, torch.optim.SGD)
    assert {group["weight_decay"]: len(group["params"]) for group in optimizer.param_groups} == {0.1: 1, 0.0: 3}
