"""The optimizers of the papers, with their exclusions from weight decay and their layer-wise learning rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from nas.train.recipe import Recipe

_SCALE = "rate_scale"  # of a parameter group: its share of the schedule's learning rate


def build_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer over all parameters that learn; one-dimensional ones are not decayed.

    Those are the norms' weights, the biases and the layer scales, as in the ConvNeXt code. AdamW is 'Decoupled Weight
    Decay Regularization' (arXiv:1711.05101). With a layer decay d below 1 (BEiT, arXiv:2106.08254, appendix), block i
    of L learns at d^(L - i) of the rate, the stem at d^(L + 1), the head at the whole rate; a downsampling layer
    belongs to the block behind it. ConvNeXt's own code counts three blocks of its long third stage as one layer.
    """
    groups = list(_groups(model, recipe))
    if recipe.optimizer == "sgd":
        return SGD(groups, lr=recipe.peak_learning_rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0)
    # Fused: one pass over the weights; at 28M parameters on one thread 35 ms a step.
    return AdamW(groups, lr=recipe.peak_learning_rate, betas=recipe.betas, fused=True)


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
    """The layer of every parameter of the trunk by name (0 the stem, then blocks), and the number of the head's."""
    layers: dict[str, int] = {}
    block, seen = 0, ""
    for name, _ in model.named_parameters():
        parts = name.split(".")
        if parts[0] == "stem":
            layers[name] = 0
        elif parts[0] == "stages":
            place = ".".join(parts[:4])
            if parts[2] == "blocks" and place != seen:
                block, seen = block + 1, place
            layers[name] = block + 1 if parts[2] == "downsample" else block
    return layers, block + 1
