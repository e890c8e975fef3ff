"""The deployed form of a network: every part that has one takes it."""

from __future__ import annotations

from torch import nn

from nas.layers.fusable import deployed


def fuse(module: nn.Module) -> nn.Module:
    """A new module with parallel branches and their batch norms merged; `module` stays as it is.

    In evaluation mode both compute the same. Norms that belong to no branch are left as they are, but for those a part
    says it folds. The result is a plain module: its `state_dict` loads into the fused form of any network of the same
    architecture.
    """
    return deployed(module)
