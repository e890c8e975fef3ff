"""Starting weights: normal for convolutions and linear layers, zero biases.

The papers' deviation is 0.02 whatever the layer (official ConvNeXt code, `trunc_normal_(std=.02)`): the truncation
there is at +-2, a hundred standard deviations out, so a plain normal is the same distribution. It suits layers of some
thousand inputs. In the narrow networks of a proxy signals shrink from layer to layer with it, and a deviation of
1/sqrt(fan-in) ('Efficient BackProp', section 4.6) learns faster.

Networks are built on the `meta` device and filled once, because filling twice is what building a network on a CPU
mostly consists of.
"""

from __future__ import annotations

import math
from typing import Literal, TypeVar

from torch import nn

Init = Literal["normal", "fan_in"]
STD = 0.02
N = TypeVar("N", bound=nn.Module)


def initialise(network: N, rule: Init = "normal") -> N:
    """Fill every parameter and buffer of `network` in place, from the default generator, and return it.

    Args:
        network: on a real device.
        rule: `normal`, the deviation of the papers; or `fan_in`, 1/sqrt(fan-in).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            nn.init.normal_(module.weight, std=STD if rule == "normal" else 1 / math.sqrt(fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif next(module.parameters(recurse=False), None) is not None:
            module.reset_parameters()  # type: ignore[operator]  # every module of ours with own parameters has it
    return network
