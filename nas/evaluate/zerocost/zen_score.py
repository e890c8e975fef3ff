"""Zen-score: how strongly a network with Gaussian weights responds to a small change of its input.

'Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition' (arXiv:2102.01063, section 3.2, algorithm 1): with all
weights and an input x drawn from N(0, 1), f the map before the pooling and a = 0.01,

    log E |f(x) - f(x + a e)|_F + sum over batch norms of log sqrt(mean over channels of the batch's variance)

The sum takes back what batch norms divide by. Here it also takes back what the other norms divide by: the root of the
mean variance over channels for a layer norm, the root of the mean square for an RMS norm; response norms are the
identity at the start. Layer scales are 1.

Differs from the paper: residual links stay (the paper removes them), and the mean is over 4 repetitions instead of 32.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from nas.evaluate.zerocost.base import NORMS, scores, scratch
from nas.layers import LayerScale
from nas.layers.pool_norm_linear import GlobalPool

_CHANGE = 0.01
_REPETITIONS = 4


@scores.register("zen_score")
@torch.no_grad()
def zen_score(network: nn.Module, images: Tensor, generator: torch.Generator) -> float:
    """Mean over the repetitions; needs the shape of the images alone."""
    gaussian = scratch(network)
    return math.fsum(_once(gaussian, images, generator) for _ in range(_REPETITIONS)) / _REPETITIONS


def _once(network: nn.Module, like: Tensor, generator: torch.Generator) -> float:
    _fill(network, generator)
    start, change = _normal(like, generator), _normal(like, generator)
    features, scaling = _features(network, start)
    moved, _ = _features(network, start + _CHANGE * change)
    distance = (features - moved).flatten(1).norm(dim=1).mean().item()
    return math.log(distance) + scaling if distance > 0 else -math.inf


def _fill(network: nn.Module, generator: torch.Generator) -> None:
    """Weights from N(0, 1), no biases, norms and layer scales without effect."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.copy_(_normal(module.weight, generator))
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, NORMS):
            module.reset_parameters()
        elif isinstance(module, LayerScale):
            module.gamma.fill_(1.0)


def _features(network: nn.Module, images: Tensor) -> tuple[Tensor, float]:
    """The map before the pooling (the output, where nothing is pooled), and the log of what norms divided it by."""
    maps: list[Tensor] = []
    logs: list[float] = []

    def keep(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        maps.append(inputs[0])

    def take_back(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if not maps:
            logs.append(_log_divisor(module, inputs[0]))

    with ExitStack() as hooks:
        for module in network.modules():
            hook = keep if isinstance(module, GlobalPool) else take_back if isinstance(module, NORMS) else None
            if hook is not None:
                hooks.callback(module.register_forward_pre_hook(hook).remove)
        output = network(images)
    return (maps[0] if maps else output), math.fsum(logs)


def _log_divisor(norm: nn.Module, x: Tensor) -> float:
    """Log of the root mean square of what a norm divides (N, C, ...) by."""
    if isinstance(norm, nn.modules.batchnorm._BatchNorm):
        square = x.var([axis for axis in range(x.ndim) if axis != 1], correction=0).mean()
    elif isinstance(norm, nn.LayerNorm):
        square = x.var(1, correction=0).mean()
    elif isinstance(norm, nn.RMSNorm):
        square = x.square().mean()
    else:
        return 0.0
    return 0.5 * math.log(square.item()) if square > 0 else -math.inf


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like)
