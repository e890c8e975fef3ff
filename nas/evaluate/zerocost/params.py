"""Parameters of the deployed network: a trivial ranking that every other has to beat."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas.evaluate.zerocost.base import deployed, scores


@scores.register("params")
def params(network: nn.Module, images: Tensor, generator: torch.Generator) -> float:
    """Parameters, parallel branches merged."""
    return float(sum(parameter.numel() for parameter in deployed(network).parameters()))
