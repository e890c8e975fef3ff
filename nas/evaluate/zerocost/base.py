"""What a zero-cost score is, and what several of them need."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from nas.architecture import fuse
from nas.layers import DropPath
from nas.layers.grn import GlobalResponseNorm
from nas.registry import Registry

NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, GlobalResponseNorm)


class Score(Protocol):
    """A function of a freshly initialised network; higher is said to be better.

    It leaves the network and torch's default generators as they are.
    """

    def __call__(self, network: nn.Module, images: Tensor, generator: torch.Generator) -> float:
        """The score.

        Args:
            network: takes (N, C, H, W), gives logits (N, classes).
            images: a batch of training images (N, C, H, W), normalised, on the network's device; some scores use its
                shape alone.
            generator: where everything random is drawn from; on the CPU.

        Returns:
            A number that can be ranked; infinite or NaN where the score is not defined for this network.
        """
        ...


scores: Registry[Score] = Registry("score")


def scratch(network: nn.Module) -> nn.Module:
    """A copy that a score may change as it likes: norms take the statistics of the batch, nothing is dropped."""
    copied = copy.deepcopy(network).train()
    for module in copied.modules():
        if isinstance(module, DropPath):
            module.eval()
    return copied


def deployed(network: nn.Module) -> nn.Module:
    """A copy with parallel branches merged."""
    with torch.random.fork_rng(devices=[]):  # a merged convolution is initialised before it is filled
        return fuse(network)


def replace(network: nn.Module, kinds: tuple[type[nn.Module], ...], make: Callable[[nn.Module], nn.Module]) -> None:
    """Put `make(module)` in the place of every module inside `network` that is one of `kinds`."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, kinds):
                setattr(parent, name, make(child))
