"""The effective receptive field of a network: what the middle of its last map takes from each pixel of its input.

W. Luo et al., "Understanding the Effective Receptive Field" (arXiv:1701.04128), as measured by RepLKNet
(arXiv:2203.06717, section 5 and appendix; `erf/visualize_erf.py` of its repository). In evaluation mode, per image:
take the channels of the middle point of the last map, negative ones as 0; sum them; take the gradient by the input,
negative values as 0; sum it over the input's channels. Then the mean over the images. The middle of a map of H x W is
(H // 2, W // 2).

Differs: the last map is that of the last stage with the stage's own norm, where it has one; an image whose gradient is
not finite is an error and not left out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nas.analysis.receptive_field import Field
from nas.architecture.network import Network
from nas.errors import NasError

_PIXELS = 8 * 224**2  # of a batch: RepLKNet-31B then takes about 3 GB


class NoField(NasError):
    """A network whose middle point depends on no pixel, or in a way that is no number."""


def receptive_field(network: Network, images: Tensor, progress: Callable[[float], None] = lambda done: None) -> Field:
    """What each pixel contributes, float64 (H, W), at least 0.

    Args:
        network: in any mode, which is restored; on the device of the images.
        images: normalised, float32 (N, C, H, W).
        progress: called with the fraction of the images done.

    Raises:
        NoField: nothing contributes, or the gradient is not finite.
    """
    was_training = network.training
    wanted = [parameter.requires_grad for parameter in network.parameters()]
    network.eval().requires_grad_(False)
    total = torch.zeros(images.shape[-2:], dtype=torch.float64)
    batch = max(1, _PIXELS // images.shape[-1] ** 2)
    try:
        for start in range(0, len(images), batch):
            some = images[start : start + batch]
            total += _gradient(network, some).relu().sum((0, 1)).cpu().double()
            progress((start + len(some)) / len(images))
    finally:
        network.train(was_training)
        for parameter, is_wanted in zip(network.parameters(), wanted, strict=True):
            parameter.requires_grad_(is_wanted)
    if not torch.isfinite(total).all():
        raise NoField("the gradient is not finite: the weights have diverged")
    if not total.any():
        raise NoField("no pixel contributes to the middle of the last map: all its channels are negative or constant")
    return (total / len(images)).numpy()


def _gradient(network: Network, images: Tensor) -> Tensor:
    """Of the middle point of the last map by the images: (N, C, H, W). In evaluation mode no image sees another."""
    given = images.detach().requires_grad_()
    last = network.forward_features(given)  # (N, C, H', W')
    middle = last[:, :, last.shape[2] // 2, last.shape[3] // 2].relu().sum()
    (gradient,) = torch.autograd.grad(middle, given)
    return gradient
