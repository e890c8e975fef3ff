"""Weights that anybody can make again from the names of a state dict, and the images that go with them."""

import math
import zlib

import torch


def weight(key: str, shape: list[int], gain: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(key.encode()))
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.long)
    if key.endswith("running_var"):
        return 0.5 + torch.rand(shape, generator=generator)
    if key.endswith("running_mean"):
        return 0.1 * torch.randn(shape, generator=generator)
    if len(shape) >= 2:
        return gain * torch.randn(shape, generator=generator) / math.sqrt(math.prod(shape[1:]))
    if key.endswith("bias"):
        return 0.1 * torch.randn(shape, generator=generator)
    return 0.5 + torch.rand(shape, generator=generator)


def images(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))
