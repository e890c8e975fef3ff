"""A module away from its start, for tests of what has to hold of every part."""

import torch
from torch import nn


def shaken(module: nn.Module, *, seed: int = 0) -> nn.Module:
    """Norms and scales away from their start, where too much is 0 or 1 to tell forms apart."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if not tensor.is_floating_point():
                continue
            if "running_var" in name or tensor.ndim < 2:
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            else:
                scale = tensor[0].numel() ** -0.5
                tensor.copy_(scale * torch.randn(tensor.shape, generator=generator))
    return module
