"""Multiply-adds of the deployed network: a trivial ranking that every other has to beat."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nas.evaluate.zerocost.base import deployed, scores


@scores.register("flops")
@torch.no_grad()
def flops(network: nn.Module, images: Tensor, generator: torch.Generator) -> float:
    """Multiply-adds of convolutions and linear layers for one image, parallel branches merged.

    Counted on the `meta` device, where nothing is computed and convolutions take no detours.
    """
    merged = deployed(network).to("meta").eval()
    with FlopCounterMode(display=False) as counter:
        merged(images[:1].to("meta"))
    return float(counter.get_total_flops()) / 2
