"""The independent count: the built network, traced by fvcore. The test of the closed form, never its source."""

from __future__ import annotations

import logging
import warnings
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nas.architecture.architecture import Architecture, estimate
from nas.architecture.fuse import fuse
from nas.architecture.network import build
from nas.task import Task

_COUNTED = ("conv", "linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """What fvcore counts on a built network, batch size 1.

    Attributes:
        operators: fvcore's count of every operator, the largest first.
        flops: of convolutions and linear layers, our convention.
        activations: elements these put out.
        params: parameters of the built network.
        agrees: whether all three are what the closed form says.
    """

    operators: dict[str, int]
    flops: int
    activations: int
    params: int
    agrees: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


class Count(NamedTuple):
    """What fvcore counts on a module, batch size 1.

    Attributes:
        params: its parameters.
        flops: multiply-adds of convolutions and linear layers.
        activations: elements these put out.
        operators: fvcore's count of every operator, the largest first.
    """

    params: int
    flops: int
    activations: int
    operators: dict[str, int]


def crosscheck(architecture: Architecture, task: Task, *, merged: bool = False) -> CrossCheck:
    """Build an architecture and count it, as it is trained or in its merged form. Takes seconds for a large network."""
    network = build(architecture, classes=task.classes, in_channels=task.channels)
    found = count(fuse(network) if merged else network, torch.zeros(1, task.channels, task.resolution, task.resolution))
    cost = estimate(architecture, task)
    trained = (cost.train_params, cost.train_flops, cost.train_activations)
    expected = (cost.params, cost.flops, cost.activations) if merged else trained
    return CrossCheck(
        operators=found.operators,
        flops=found.flops,
        activations=found.activations,
        params=found.params,
        agrees=found[:3] == expected,
    )


def count(module: nn.Module, image: Tensor) -> Count:
    """Trace `module` in evaluation mode on `image` (1, C, H, W) and count."""
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # fvcore scripts and traces with torch.jit, on import already; torch has deprecated both
        warnings.simplefilter("ignore", DeprecationWarning)
        from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis

        whole = nn.Sequential(module).eval()  # fvcore cannot count a bare convolution's own outputs
        flops = FlopCountAnalysis(whole, image).unsupported_ops_warnings(False)
        outputs = ActivationCountAnalysis(whole, image).unsupported_ops_warnings(False)
        operators = {name: int(number) for name, number in flops.by_operator().most_common()}
        activations = int(sum(outputs.by_operator()[name] for name in _COUNTED))
    counted = sum(operators.get(name, 0) for name in _COUNTED)
    params = sum(parameter.numel() for parameter in module.parameters())
    return Count(params, counted, activations, operators)
