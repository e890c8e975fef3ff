"""The optimizers of the papers, with their exclusions from weight decay and their layer-wise learning rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import accumulate
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from nas.train.recipe import Recipe

_SCALE = "rate_scale"  # of a parameter group: its share of the schedule's learning rate
_BLOCKS, _LAYERS = 3, 12  # in a layer at least, and in a network at most


def build_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer over all parameters that learn; one-dimensional ones are not decayed.

    Those are the norms' weights, the biases and the layer scales, as in the ConvNeXt code. AdamW is 'Decoupled Weight
    Decay Regularization' (arXiv:1711.05101).

    With a layer decay d below 1 (BEiT, arXiv:2106.08254, appendix), layer i of L learns at d^(L + 1 - i) of the rate,
    the stem as layer 0, the head at the whole rate. As in the ConvNeXt code, a layer is three consecutive blocks of a
    stage (or what is left of them at its end), and a downsampling layer belongs to the block behind it: 12 layers for
    depths of 3, 3, 27, 3 and 6 for 3, 3, 9, 3. Where a deeper network would come to more than 12, a layer is as many
    blocks as it takes for 12, or a whole stage; and a norm that closes a stage belongs to the block before it. The
    ConvNeXt code knows no such networks.
    """
    groups = list(_groups(model, recipe))
    if recipe.optimizer == "sgd":
        return SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0)
    # Fused: one pass over the weights; at 28M parameters on one thread 35 ms a step.
    return AdamW(groups, lr=recipe.learning_rate, betas=recipe.betas, fused=True)


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the rate of every group, by its share."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[_SCALE]


def _groups(model: nn.Module, recipe: Recipe) -> Iterator[dict[str, Any]]:
    layers, count = _layers(model)
    found: dict[tuple[int, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            layer = count if recipe.layer_decay == 1 else layers.get(name, count)
            found.setdefault((layer, parameter.ndim > 1), []).append(parameter)
    # Decayed ones first, as they were built: the order of groups is the order of the optimizer's state.
    for layer, is_decayed in sorted(found, key=lambda key: (key[0], not key[1])):
        yield {
            "params": found[layer, is_decayed],
            "weight_decay": recipe.weight_decay if is_decayed else 0.0,
            _SCALE: recipe.layer_decay ** (count - layer),
        }


def _layers(model: nn.Module) -> tuple[dict[str, int], int]:
    """The layer of every parameter of the trunk by name, 0 being the stem, and the number of the head's."""
    places = {name: place for name, _ in model.named_parameters() if (place := _place(name)) is not None}
    depths = Counter(stage for stage, block in set(places.values()) if block >= 0)
    size = _blocks_per_layer(depths.values())
    first = list(accumulate((_layer_count([depths[stage]], size) for stage in sorted(depths)), initial=1))
    layers = {name: first[stage] + block % depths[stage] // size for name, (stage, block) in places.items()}
    stem = {name: 0 for name, _ in model.named_parameters() if name.startswith("stem.")}
    return stem | layers, first[-1]


def _place(name: str) -> tuple[int, int] | None:
    """Stage and block of a parameter by its name.

    A downsampling layer belongs to the first block of its stage, a closing norm to the last one, -1.
    """
    parts = name.split(".")
    if parts[0] != "stages":
        return None
    stage = int(parts[1])
    match parts[2]:
        case "blocks":
            return stage, int(parts[3])
        case "norm":
            return stage, -1
        case _:
            return stage, 0


def _blocks_per_layer(depths: Collection[int]) -> int:
    """Three, or more where that would be too many layers."""
    size = _BLOCKS
    while size < max(depths, default=0) and _layer_count(depths, size) > _LAYERS:
        size += 1
    return size


def _layer_count(depths: Collection[int], size: int) -> int:
    return sum(-(-depth // size) for depth in depths)
