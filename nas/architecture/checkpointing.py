"""Activation checkpointing ('Training Deep Nets with Sublinear Memory Cost', arXiv:1604.06174), block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class CheckpointedBlocks(nn.Sequential):
    """Blocks of which training keeps only the inputs; each runs a second time in the backward pass.

    The same numbers, less memory, about a third more time. Outside training it is a plain `nn.Sequential`, and so are
    the keys of its `state_dict`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C, H_out, W_out)."""
        for block in self:
            x = _checkpointed(block, x) if self.training and torch.is_grad_enabled() else block(x)
        return x


def _checkpointed(block: nn.Module, x: Tensor) -> Tensor:
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _copied_buffers(block)

    y: Tensor = checkpoint(block, x, use_reentrant=False, context_fn=contexts)
    return y


@contextmanager
def _copied_buffers(module: nn.Module) -> Iterator[None]:
    """Let `module` write to copies: the second run must not move the running statistics of batch norms again."""
    kept = [(one, name, buffer) for one in module.modules() for name, buffer in one.named_buffers(recurse=False)]
    for one, name, buffer in kept:
        setattr(one, name, buffer.clone())
    try:
        yield
    finally:
        for one, name, buffer in kept:
            setattr(one, name, buffer)
