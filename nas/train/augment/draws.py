"""Random numbers for a batch: drawn on the CPU, one or a few for every image, then moved to where the images are."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor


def uniform(low: float, high: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Float64 numbers between `low` and `high`, in `shape`."""
    return torch.rand(shape, dtype=torch.float64, generator=generator) * (high - low) + low


def symmetric_beta(alpha: Tensor, generator: Generator) -> Tensor:
    """One draw from Beta(alpha, alpha) for every element of `alpha`.

    Exact, and without rejection: with T from Student's distribution of 2 alpha degrees of freedom,
    1/2 + T / (2 sqrt(2 alpha + T^2)) is such a draw, and T comes from two uniforms by the polar method (Bailey,
    "Polar generation of random variates with the t-distribution", Mathematics of Computation 62, 1994).
    `torch.distributions.Beta` takes no generator.

    Args:
        alpha: float64, above 0, any shape.
        generator: on the CPU.

    Returns:
        float64 in [0, 1], of the shape of `alpha`.
    """
    shrink = torch.rand(alpha.shape, dtype=torch.float64, generator=generator) ** (1 / alpha)
    cosine = torch.cos(uniform(0, 2 * math.pi, tuple(alpha.shape), generator))
    # T^2 / (2 alpha + T^2), written so that nothing overflows where alpha is small.
    squared = (1 - shrink) * cosine**2
    return (1 + cosine.sign() * torch.sqrt(squared / (shrink + squared))) / 2


def moved(draws: Tensor, device: torch.device) -> Tensor:
    """The draws on `device`, without waiting for the work that is queued there.

    CUDA stages pageable memory before the call returns, so the source may go at once.
    """
    return draws.to(device, non_blocking=device.type == "cuda")
