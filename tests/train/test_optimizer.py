from __future__ import annotations

import torch
from torch import nn

from nas.architecture import Architecture, Stage, build
from nas.layers import LayerScale
from nas.layers.downsampling import ConvDownsample
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


def test_layer_decay_goes_by_block() -> None:
    """BEiT's rule: with L blocks, block i learns at d^(L + 1 - i) of the head's rate, the stem as block 0."""
    stages = (Stage(depth=2, width=8), Stage(depth=1, width=16, downsample=ConvDownsample()))
    model = build(Architecture(stages=stages), classes=3)
    optimizer = build_optimizer(model, Recipe(layer_decay=0.5, learning_rate=1.0))
    set_learning_rate(optimizer, 1.0)
    rates = {id(one): group["lr"] for group in optimizer.param_groups for one in group["params"]}
    expected = {"stem": 1 / 16, "stages.0.blocks.0": 1 / 8, "stages.0.blocks.1": 1 / 4, "stages.1.downsample": 1 / 2,
                "stages.1.blocks.0": 1 / 2, "head": 1.0}  # fmt: skip
    for name, parameter in model.named_parameters():
        assert rates[id(parameter)] == next(rate for prefix, rate in expected.items() if name.startswith(prefix)), name


def test_sgd_takes_the_same_exclusions() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimizer = build_optimizer(model, Recipe(optimizer="sgd", weight_decay=0.1))
    assert isinstance(optimizer, torch.optim.SGD)
    assert {group["weight_decay"]: len(group["params"]) for group in optimizer.param_groups} == {0.1: 1, 0.0: 3}
