"""Starting weights: normal with standard deviation 0.02 for convolutions and linear layers, zero biases.

This is ConvNeXt's rule (official code, `trunc_normal_(std=.02)`): the truncation there is at +-2, a hundred standard
deviations out, so a plain normal is the same distribution. Networks are built on the `meta` device and filled once,
because filling twice is what building a network on a CPU mostly consists of.
"""

from __future__ import annotations

from typing import TypeVar

from torch import nn

STD = 0.02
N = TypeVar("N", bound=nn.Module)


def initialise(network: N) -> N:
    """Fill every parameter and buffer of `network` in place, from the default generator, and return it."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, std=STD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif next(module.parameters(recurse=False), None) is not None:
            module.reset_parameters()  # type: ignore[operator]  # every module of ours with own parameters has it
    return network
