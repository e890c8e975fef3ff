"""The independent count: the built network, traced by fvcore. The test of the closed form, never its source."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

import torch
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis

from nas.architecture.architecture import Architecture, estimate
from nas.architecture.network import build
from nas.task import Task

_COUNTED = ("conv", "linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """What fvcore counts on the network as it is trained, batch size 1.

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


def crosscheck(architecture: Architecture, task: Task) -> CrossCheck:
    """Build an architecture and count it. Takes seconds for a large network."""
    network = build(architecture, classes=task.classes, in_channels=task.channels).eval()
    image = torch.zeros(1, task.channels, task.resolution, task.resolution)
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    flops = FlopCountAnalysis(network, image).unsupported_ops_warnings(False)
    outputs = ActivationCountAnalysis(network, image).unsupported_ops_warnings(False)
    operators = {name: int(count) for name, count in flops.by_operator().most_common()}
    counted = sum(operators.get(name, 0) for name in _COUNTED)
    activations = int(sum(outputs.by_operator()[name] for name in _COUNTED))
    params = sum(parameter.numel() for parameter in network.parameters())
    cost = estimate(architecture, task)
    agrees = (counted, activations, params) == (cost.train_flops, cost.train_activations, cost.train_params)
    return CrossCheck(operators=operators, flops=counted, activations=activations, params=params, agrees=agrees)
