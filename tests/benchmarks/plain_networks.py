"""ConvNeXt-T, RepLKNet-31B and Conv2Former-T as one writes them down from the papers: NCHW and `nn.Conv2d` throughout.

Pointwise layers are 1x1 convolutions and layer norm is written out with means over the channels. Parameters stand in
the order of ours, so that the weights of one network fit the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from nas.layers import drop_path_rates
from nas.layers.drop_path import DropPath


class ChannelsFirstNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(1, keepdim=True)
        x = centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class Scale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width, 1, 1), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return self.gamma * x


class Plus(nn.Module):
    """x + inner(x)."""

    def __init__(self, *inner: nn.Module, rate: float = 0.0) -> None:
        super().__init__()
        self.inner = nn.Sequential(*inner)
        self.drop = DropPath(rate)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop(self.inner(x))


class Pool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


def pointwise(width_in: int, width: int, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(width_in, width, 1, bias=bias)


def depthwise(width: int, kernel: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(width, width, kernel, stride=stride, padding=kernel // 2, groups=width, bias=bias)


def with_norm(conv: nn.Conv2d, *act: nn.Module) -> list[nn.Module]:
    return [conv, nn.BatchNorm2d(conv.out_channels), *act]


def blocks_of(depth: int, rates: Iterable[float], block: Callable[[float], Iterable[nn.Module]]) -> list[nn.Module]:
    return [part for _, rate in zip(range(depth), rates, strict=False) for part in block(rate)]


def convnext_tiny() -> nn.Module:
    depths, widths = (3, 3, 9, 3), (96, 192, 384, 768)
    rates = iter(drop_path_rates(0.1, sum(depths)))
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, stride=4), ChannelsFirstNorm(widths[0])]
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        if stage:
            layers += [ChannelsFirstNorm(widths[stage - 1]), nn.Conv2d(widths[stage - 1], width, 2, stride=2)]

        def block(rate: float, width: int = width) -> list[nn.Module]:
            mlp = pointwise(width, 4 * width), nn.GELU(), pointwise(4 * width, width)
            return [Plus(depthwise(width, 7), ChannelsFirstNorm(width), *mlp, Scale(width), rate=rate)]

        layers += blocks_of(depth, rates, block)
    return nn.Sequential(*layers, Pool(), ChannelsFirstNorm(widths[-1]), nn.Flatten(), nn.Linear(widths[-1], 1000))


class TwoKernels(nn.Module):
    """A large and a small depthwise kernel with a batch norm each, as RepLKNet is trained."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.large = nn.Sequential(*with_norm(depthwise(width, kernel, bias=False)))
        self.small = nn.Sequential(*with_norm(depthwise(width, 5, bias=False)))

    def forward(self, x: Tensor) -> Tensor:
        return self.large(x) + self.small(x)


def replknet_31b() -> nn.Module:
    depths, widths, kernels = (2, 2, 18, 2), (128, 256, 512, 1024), (31, 29, 27, 13)
    rates = iter(drop_path_rates(0.5, sum(depths)))
    first = widths[0]
    layers = with_norm(nn.Conv2d(3, first, 3, stride=2, padding=1, bias=False), nn.ReLU())
    layers += with_norm(depthwise(first, 3, bias=False), nn.ReLU())
    layers += with_norm(pointwise(first, first, bias=False), nn.ReLU())
    layers += with_norm(depthwise(first, 3, stride=2, bias=False), nn.ReLU())
    for stage, (depth, width, kernel) in enumerate(zip(depths, widths, kernels, strict=True)):
        if stage:
            layers += with_norm(pointwise(widths[stage - 1], width, bias=False), nn.ReLU())
            layers += with_norm(depthwise(width, 3, stride=2, bias=False), nn.ReLU())

        def block(rate: float, width: int = width, kernel: int = kernel) -> list[nn.Module]:
            mix = with_norm(pointwise(width, width, bias=False), nn.ReLU())
            mix += [TwoKernels(width, kernel), nn.ReLU(), *with_norm(pointwise(width, width, bias=False))]
            feed = with_norm(pointwise(width, 4 * width, bias=False), nn.GELU())
            feed += with_norm(pointwise(4 * width, width, bias=False))
            return [Plus(nn.BatchNorm2d(width), *branch, rate=rate) for branch in (mix, feed)]

        layers += blocks_of(depth, rates, block)
    return nn.Sequential(*layers, nn.BatchNorm2d(widths[-1]), Pool(), nn.Flatten(), nn.Linear(widths[-1], 1000))


class Modulated(nn.Module):
    """Conv2Former's product of a convolved map and values."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(pointwise(width, width), nn.GELU(), depthwise(width, 11))
        self.value = pointwise(width, width)
        self.project = pointwise(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.weigh(x) * self.value(x))


def conv2former_tiny() -> nn.Module:
    depths, widths = (3, 3, 12, 3), (72, 144, 288, 576)
    half = widths[0] // 2
    layers: list[nn.Module] = [nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False), nn.GELU(), nn.BatchNorm2d(half)]
    layers += [nn.Conv2d(half, half, 3, padding=1, bias=False), nn.GELU(), nn.BatchNorm2d(half)]
    layers += [nn.Conv2d(half, widths[0], 2, stride=2, bias=False)]
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        if stage:
            layers += [ChannelsFirstNorm(widths[stage - 1]), nn.Conv2d(widths[stage - 1], width, 2, stride=2)]

        def block(rate: float, width: int = width) -> list[nn.Module]:
            local = Plus(depthwise(4 * width, 3), nn.GELU())
            feed = pointwise(width, 4 * width), nn.GELU(), local, pointwise(4 * width, width)
            branches = (Modulated(width),), feed
            return [Plus(ChannelsFirstNorm(width), *branch, Scale(width), rate=rate) for branch in branches]

        layers += blocks_of(depth, [0.0] * depth, block)
    layers += [pointwise(widths[-1], 1280), nn.GELU(), ChannelsFirstNorm(1280), Pool(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(1280, 1000))


PLAIN: dict[str, Callable[[], nn.Module]] = {
    "convnext_tiny": convnext_tiny,
    "replknet_31b": replknet_31b,
    "conv2former_t": conv2former_tiny,
}


def take_weights(plain: nn.Module, ours: nn.Module) -> None:
    """Copy the weights of ours, which stand in the same order, into the plain network."""
    pairs = zip(plain.state_dict().items(), ours.state_dict().values(), strict=True)
    plain.load_state_dict({name: theirs.reshape(own.shape) for (name, own), theirs in pairs})
