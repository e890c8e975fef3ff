"""How differently an untrained network responds to changes of different images: the correlations of their Jacobians.

'Neural Architecture Search without Training', first version (arXiv:2006.04647v1, section 3): with the correlation
matrix of the rows d(sum of logits)/d(image), and its eigenvalues v, the score is -sum(log(v + k) + 1 / (v + k)),
k = 1e-5. Batch norms take the statistics of the batch, as in the paper's code, so that images see a little of each
other.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nas.evaluate.zerocost.base import scores, scratch

_K = 1e-5


@scores.register("jacob_cov")
def jacob_cov(network: nn.Module, images: Tensor, generator: torch.Generator) -> float:
    """-sum(log(v + k) + 1 / (v + k)); NaN where an image has no influence at all."""
    free = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        (jacobian,) = torch.autograd.grad(scratch(network)(free).sum(), free)
    correlations = torch.corrcoef(jacobian.flatten(1).double())  # (N, N)
    if not correlations.isfinite().all():
        return math.nan
    shifted = torch.linalg.eigvalsh(correlations) + _K
    return -float((shifted.log() + 1 / shifted).sum())
