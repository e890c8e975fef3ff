"""The deployed form of a network: every part that has one takes it."""

from __future__ import annotations

import copy

from torch import nn

from nas.layers import Fusable


def fuse(module: nn.Module) -> nn.Module:
    """A new module with parallel branches and their batch norms merged; `module` stays as it is.

    In evaluation mode both compute the same. Norms that belong to no branch are left as they are. The result is a
    plain module: its `state_dict` loads into the fused form of any network of the same architecture.
    """
    if isinstance(module, Fusable):
        return module.fused()
    network = copy.deepcopy(module)
    for name, part in list(network.named_modules()):
        if isinstance(part, Fusable):
            network.set_submodule(name, part.fused())
    return network
