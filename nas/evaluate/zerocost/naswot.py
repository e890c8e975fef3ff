"""How differently an untrained network treats different images: the log-determinant of the kernel of activation codes.

'Neural Architecture Search without Training' (arXiv:2006.04647v3, section 3): every unit before an activation says of
an image whether it is on; the kernel K of two images is the number of units that agree, the score log |det K|.

The paper has ReLU, where 'on' is the region in which the unit is linear. GELU, SiLU and Hardswish have no such regions;
a unit of theirs is on where its input is positive, which is where it passes on more than half of it. Activations that
are no module of their own (inside squeeze-and-excitation) have no code. Batch norms take the statistics of the
batch, as in the paper's code.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas.evaluate.zerocost.base import scores, scratch
from nas.layers import Site, activations


@scores.register("naswot")
@torch.no_grad()
def naswot(network: nn.Module, images: Tensor, generator: torch.Generator) -> float:
    """Log |det K|; minus infinity where two images have the same code, or nothing has one."""
    coded = scratch(network)
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64, device=images.device)

    def count(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        signs = torch.where(inputs[0].flatten(1) > 0, 1.0, -1.0)  # (N, units)
        kernel.add_((signs @ signs.T + signs.shape[1]) / 2)  # float32 counts exactly up to 2^24 units a layer

    kinds = _activation_modules()
    for module in coded.modules():
        if isinstance(module, kinds):
            module.register_forward_pre_hook(count)
    coded(images)
    return float(torch.linalg.slogdet(kernel).logabsdet)


def _activation_modules() -> tuple[type[nn.Module], ...]:
    return tuple({type(kind().build(Site(1, 1, 1))) for _, kind in activations.items()})
