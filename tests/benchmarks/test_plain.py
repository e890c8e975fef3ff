"""Our modules against the plain way of writing the same networks: NCHW, `nn.Conv2d`, channels-first layer norm.

Run with `pytest -m benchmark -s tests/benchmarks/test_plain.py`; prints one table. Both networks have the same weights
and are timed in turn in one process, one thread, the best of the repetitions.
"""

import copy
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nas.architecture import build
from nas.layers.depthwise import DepthwiseConv
from nas.layers.layernorm import ChannelLayerNorm
from nas.layers.pointwise import Pointwise
from nas.space import load_architecture

BOUNDS = {"convnext_tiny": 1.0, "conv2former_t": 1.0, "replknet_31b": 0.2}


class ChannelsFirstLayerNorm(nn.Module):
    """Mean and variance over dimension 1, written out."""

    def __init__(self, norm: ChannelLayerNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        normed = (x - mean) / torch.sqrt(variance + self.eps)
        shape = (-1,) + (1,) * (x.ndim - 2)
        return self.weight.view(shape) * normed + self.bias.view(shape)


def plain(network: nn.Module) -> nn.Module:
    """The same network and weights, every part in its plain form."""
    network = copy.deepcopy(network)
    for name, module in list(network.named_modules()):
        if isinstance(module, Pointwise):
            conv = nn.Conv2d(module.in_features, module.out_features, 1, bias=module.bias is not None)
            conv.load_state_dict({key: one.view_as(conv.state_dict()[key]) for key, one in module.state_dict().items()})
            network.set_submodule(name, conv)
        elif isinstance(module, DepthwiseConv):
            conv = nn.Conv2d(
                module.in_channels, module.out_channels, module.kernel_size, stride=module.stride,
                padding=module.padding, dilation=module.dilation, groups=module.groups, bias=module.bias is not None,
            )  # fmt: skip
            conv.load_state_dict(module.state_dict())
            network.set_submodule(name, conv)
        elif isinstance(module, ChannelLayerNorm):
            network.set_submodule(name, ChannelsFirstLayerNorm(module))
    return network


def forward(network: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        network(x)


def both_ways(network: nn.Module, x: Tensor) -> None:
    network(x).square().mean().backward()
    network.zero_grad(set_to_none=True)


def seconds(run: Callable[[nn.Module, Tensor], None], networks: tuple[nn.Module, ...], x: Tensor) -> list[float]:
    """The best time of each network, run in turn so that load hits both."""
    best = [float("inf")] * len(networks)
    for _ in range(4):
        for index, network in enumerate(networks):
            begun = time.perf_counter()
            run(network, x)
            best[index] = min(best[index], time.perf_counter() - begun)
    return best


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("preset", BOUNDS)
def test_ours_is_not_slower_than_the_plain_way(preset: str) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours = build(load_architecture(preset), drop_path=0.0).eval()
        theirs = plain(ours)
        x = torch.randn(1, 3, 224, 224)
        with torch.no_grad():
            torch.testing.assert_close(ours(x), theirs(x), rtol=1e-3, atol=1e-4)
        ratios = {}
        for name, run in (("forward", forward), ("forward + backward", both_ways)):
            for batch in (1, 8):
                mine, other = seconds(run, (ours, theirs), torch.randn(batch, 3, 224, 224))
                ratios[name, batch] = mine / other
                print(
                    f"{preset:15} {name:18} batch {batch}: {other:8.3f} s plain {mine:8.3f} s ours {mine / other:.2f}"
                )
        assert max(ratios.values()) <= BOUNDS[preset]
    finally:
        torch.set_num_threads(threads)
