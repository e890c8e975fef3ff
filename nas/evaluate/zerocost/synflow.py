"""Synaptic flow: how much signal the weights would carry if none of it cancelled.

'Pruning neural networks without any data by iteratively conserving synaptic flow' (arXiv:2006.05467, section 5), as a
score of whole networks in 'Zero-Cost Proxies for Lightweight NAS' (arXiv:2101.08134, section 3): with every weight
replaced by its absolute value and an image of ones, R is the sum of the logits, and the score the sum of |w dR/dw| over
the weights of convolutions and linear layers.

Batch norms are left out, as in the second paper's code, and so are layer norms, RMS norms and response norms: what
divides by the size of the signal makes R indifferent to the weights before it, so that their part would be 0. In
float64, because the signal grows by the fan-in at every layer.

Neither paper has mixers that multiply two branches (modulation, LKA). Without the norm before them their output would
grow as the square of the signal and overflow after a dozen blocks; it is divided by the mean of their input, held
constant, as if that norm had done so.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas.evaluate.zerocost.base import NORMS, replace, scores, scratch
from nas.layers.lka import LargeKernelAttention
from nas.layers.modulation import ConvModulation

_SQUARES = (ConvModulation, LargeKernelAttention)


@scores.register("synflow")
def synflow(network: nn.Module, images: Tensor, generator: torch.Generator) -> float:
    """Sum of |w dR/dw|; needs the shape of the images alone."""
    positive = scratch(network).double().eval()
    replace(positive, NORMS, lambda norm: nn.Identity())
    with torch.no_grad():
        for parameter in positive.parameters():
            parameter.abs_()
    for module in positive.modules():
        if isinstance(module, _SQUARES):
            module.register_forward_hook(_to_first_degree)
    weights = [module.weight for module in positive.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    with torch.enable_grad():
        flow = positive(torch.ones_like(images[:1], dtype=torch.float64)).sum()
        gradients = torch.autograd.grad(flow, weights)
    flows = [(weight.detach() * gradient).abs().sum() for weight, gradient in zip(weights, gradients, strict=True)]
    return float(torch.stack(flows).sum())


def _to_first_degree(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
    divided: Tensor = output / inputs[0].detach().mean()
    return divided
