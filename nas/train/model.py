"""The network that a recipe trains: an architecture's, started from a seed."""

from __future__ import annotations

import torch
from torch import nn

from nas.architecture import Architecture, build
from nas.layers import LayerScale
from nas.task import Task
from nas.train.randomness import derive, own_randomness
from nas.train.recipe import Recipe


def make_model(architecture: Architecture, task: Task, recipe: Recipe, *, seed: int) -> nn.Module:
    """Build and initialise a network on the CPU, with the recipe's starting weights, drop path and layer scale.

    Args:
        architecture: what to build.
        task: its channels and classes.
        recipe: how it will be trained.
        seed: of the starting weights.
    """
    with own_randomness(derive(seed, "weights"), torch.device("cpu")):
        model = build(
            architecture,
            classes=task.classes,
            in_channels=task.channels,
            drop_path=recipe.drop_path,
            checkpoint=recipe.activation_checkpointing,
            init=recipe.init,
        )
    if recipe.layer_scale_init is not None:
        start_layer_scales(model, recipe.layer_scale_init)
    if recipe.classifier_init_scale != 1:
        scale_classifier(model, recipe.classifier_init_scale)
    return model


def start_layer_scales(model: nn.Module, value: float) -> None:
    """Set every layer scale there is; networks without one stay as they are.

    The papers' 1e-6 is meant for 300 epochs: in a proxy most of the training would go into growing it.
    """
    for module in model.modules():
        if isinstance(module, LayerScale):
            nn.init.constant_(module.gamma, value)


@torch.no_grad()
def scale_classifier(model: nn.Module, factor: float) -> None:
    """Make the starting weights of the last linear layer smaller, so that fine-tuning begins gently."""
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    for parameter in last.parameters():
        parameter.mul_(factor)
