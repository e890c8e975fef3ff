"""Every score against a second, naive way to it; and what all of them promise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.architecture import Architecture, build, estimate
from nas.evaluate.zerocost import scores
from nas.layers import DropPath
from nas.layers.layernorm import ChannelLayerNorm
from nas.layers.pool_norm_linear import GlobalPool
from nas.space import load_space
from nas.space.askers import following
from nas.task import Task

SPACES = ("tiny", "convnext", "replknet", "conv2former", "isotropic", "resnet_to_convnext", "modern")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def filled(network: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and biases of ordinary size, away from every special value."""
    source = generator(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=source) * 0.3)
    return network


def linear(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for width, following_width in itertools.pairwise(widths):
        layers += [nn.Linear(width, following_width, bias=False), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def convnet(norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), norm(6), nn.GELU(), DropPath(0.5),
        nn.Conv2d(6, 8, 3, padding=1), norm(8), nn.SiLU(), GlobalPool(), nn.Linear(8, 10),
    )  # fmt: skip


def images(count: int = 8, side: int = 6) -> Tensor:
    return torch.randn(count, 1, side, side, generator=generator(7))


@cache
def built(space: str) -> nn.Module:
    """One network for all the scores, which must leave it alone."""
    return build(small(space), classes=10, in_channels=1)


def small(space: str) -> Architecture:
    """The first point of a space, which is about its cheapest."""
    return load_space(space).build(following({}))


# --- what all of them promise


@pytest.mark.parametrize("name", scores)
@pytest.mark.parametrize("space", [pytest.param(one, marks=[pytest.mark.slow] * (one != "tiny")) for one in SPACES])
def test_score_is_finite_and_leaves_everything_as_it_was(name: str, space: str) -> None:
    network = built(space)
    batch = torch.randn(4, 1, 32, 32, generator=generator())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    kept, state = batch.clone(), torch.get_rng_state()
    first = scores[name](network, batch, generator())
    assert math.isfinite(first)
    assert scores[name](network, batch, generator()) == first
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(one.grad is None and one.requires_grad for one in network.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert torch.equal(batch, kept)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("space", [pytest.param(one, marks=[pytest.mark.slow] * (one != "tiny")) for one in SPACES])
def test_counting_scores_are_the_closed_form(space: str) -> None:
    architecture = small(space)
    network = built(space)
    cost = estimate(architecture, Task(resolution=32, classes=10, channels=1))
    batch = torch.zeros(1, 1, 32, 32)
    assert scores["params"](network, batch, generator()) == cost.params
    assert scores["flops"](network, batch, generator()) == cost.flops


# --- synflow


def test_synflow_of_a_linear_network_is_its_path_norm_once_a_layer() -> None:
    network = filled(linear(36, 9, 7, 5))
    paths = np.ones(36)
    for layer in network:
        if isinstance(layer, nn.Linear):
            paths = layer.weight.detach().abs().double().numpy() @ paths
    assert scores["synflow"](network, images(), generator()) == pytest.approx(3 * paths.sum(), rel=1e-9)


def test_synflow_of_a_convnet_by_finite_differences() -> None:
    network = filled(convnet()).double()
    plain = nn.Sequential(
        *(one for one in network if isinstance(one, nn.Conv2d | nn.GELU | nn.SiLU | GlobalPool | nn.Linear))
    )
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.abs_()
        ones, total, step = torch.ones(1, 1, 6, 6, dtype=torch.float64), 0.0, 1e-6
        for layer in plain:
            weight = getattr(layer, "weight", None)
            for index in np.ndindex(*weight.shape) if weight is not None else ():
                old = weight[index].item()
                weight[index] = old + step
                above = plain(ones).sum().item()
                weight[index] = old - step
                below = plain(ones).sum().item()
                weight[index] = old
                total += abs(old * (above - below) / (2 * step))
    assert scores["synflow"](network, images(), generator()) == pytest.approx(total, rel=1e-6)


def test_synflow_sees_weights_before_a_norm() -> None:
    network = filled(convnet(ChannelLayerNorm))
    before = scores["synflow"](network, images(), generator())
    with torch.no_grad():
        network[0].weight.mul_(3)
    assert scores["synflow"](network, images(), generator()) > 1.5 * before


@pytest.mark.slow
def test_synflow_survives_deep_products() -> None:
    data = small("conv2former").to_dict()
    data["stages"][2]["depth"] = 40
    network = build(Architecture.from_dict(data), classes=10)
    assert math.isfinite(scores["synflow"](network, torch.zeros(1, 3, 32, 32), generator()))


# --- naswot


def test_naswot_counts_agreeing_units() -> None:
    network, batch = filled(convnet(nn.Identity)), images()
    codes = []
    with torch.no_grad():
        first = network[0](batch)
        second = network[4](functional.gelu(first))
    for image in range(len(batch)):
        codes.append([value > 0 for layer in (first, second) for value in layer[image].flatten().tolist()])
    kernel = [[sum(a == b for a, b in zip(one, other, strict=True)) for other in codes] for one in codes]
    _, expected = np.linalg.slogdet(np.array(kernel, dtype=float))
    assert scores["naswot"](network, batch, generator()) == pytest.approx(expected, rel=1e-9)


def test_naswot_of_equal_images_is_minus_infinity() -> None:
    batch = images()
    assert scores["naswot"](filled(convnet()), torch.cat([batch, batch[:1]]), generator()) < -20
    assert scores["naswot"](filled(nn.Sequential(nn.Flatten(), nn.Linear(36, 3))), batch, generator()) == -math.inf


# --- jacob_cov


def test_jacob_cov_from_jacobians_one_by_one() -> None:
    network, batch = filled(linear(36, 40, 30, 5)), images()
    rows = [
        torch.autograd.functional.jacobian(lambda image: network(image[None]).sum(), image).flatten().double().numpy()
        for image in batch
    ]
    eigenvalues = np.linalg.eigvals(np.corrcoef(rows)).real
    expected = -np.sum(np.log(eigenvalues + 1e-5) + 1 / (eigenvalues + 1e-5))
    assert scores["jacob_cov"](network, batch, generator()) == pytest.approx(expected, rel=1e-4)


def test_jacob_cov_is_best_for_uncorrelated_responses() -> None:
    """Eigenvalues of 1 give -n, the most there is; a linear network responds to all images alike."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 5))
    assert scores["jacob_cov"](network, images(), generator()) < -1e5
    assert scores["jacob_cov"](filled(linear(36, 40, 5)), images(), generator()) < -8


# --- zen_score


def naive_zen(network: nn.Sequential, like: Tensor, source: torch.Generator) -> float:
    """The paper's algorithm, for a sequence of convolutions, norms over channels or batches, and activations."""
    results = []
    for _ in range(4):
        weights = {
            layer: torch.randn(layer.weight.shape, generator=source)
            for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)
        }  # fmt: skip
        x = torch.randn(like.shape, generator=source)
        moved = x + 0.01 * torch.randn(like.shape, generator=source)
        logs = 0.0
        for layer in network:
            if isinstance(layer, nn.Conv2d):
                x, moved = (functional.conv2d(one, weights[layer], padding=1) for one in (x, moved))
            elif isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
                axes = (0, 2, 3) if isinstance(layer, nn.BatchNorm2d) else (1,)
                spread = x.numpy().var(axis=axes)
                logs += math.log(math.sqrt(spread.mean()))
                x, moved = (
                    (one - one.mean(axes, keepdim=True))
                    / (one.var(axes, correction=0, keepdim=True) + layer.eps).sqrt()
                    for one in (x, moved)
                )
            elif isinstance(layer, GlobalPool):
                break
            elif not isinstance(layer, DropPath):
                x, moved = layer(x), layer(moved)
        distances = [math.dist(a.flatten().tolist(), b.flatten().tolist()) for a, b in zip(x, moved, strict=True)]
        results.append(math.log(sum(distances) / len(distances)) + logs)
    return sum(results) / 4


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, ChannelLayerNorm])
def test_zen_score_follows_the_algorithm(norm: Callable[[int], nn.Module]) -> None:
    network = convnet(norm)
    assert scores["zen_score"](network, images(), generator(3)) == pytest.approx(
        naive_zen(network, images(), generator(3)), rel=1e-4
    )


def test_zen_score_does_not_depend_on_the_weights_it_replaces() -> None:
    network = convnet()
    first = scores["zen_score"](network, images(), generator(3))
    assert scores["zen_score"](filled(network), images(), generator(3)) == first
