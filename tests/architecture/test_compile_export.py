"""Every published family goes through `torch.export`, `torch.compile` and bf16 autocast; every preset, slowly."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from nas.architecture import Architecture, build
from nas.schema.packaged import preset_names
from nas.space import load_architecture

FAMILIES = (
    "convnext_tiny", "convnext_isotropic_small", "conv2former_n", "replknet_31b", "resnet50", "resnext50_32x4d",
    "unireplknet_a", "van_b0", "r50_to_convnext_t/move_up_dwconv",
)  # fmt: skip
QUICK = ("convnext_tiny",)


def small(preset: str, *, depth: int = 2) -> Architecture:
    """The preset with few blocks a stage and an eighth of the width: same parts, fast."""
    data = load_architecture(preset).to_dict()
    for stage in data["stages"]:
        stage["depth"], stage["width"] = min(stage["depth"], depth), max(8, stage["width"] // 8)
        if isinstance(stage["block"], dict) and "grouped" in str(stage["block"].get("mixer")):
            stage["block"]["mixer"] = {"kind": "grouped", "groups": 4}
    return Architecture.from_dict(data)


def images(size: int = 64) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))


@contextmanager
def only_our_warnings() -> Iterator[None]:
    """Silence what PyTorch's own exporter and compiler deprecate in each other."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, UserWarning):
            warnings.filterwarnings("ignore", category=category, module=r"torch\..*|copyreg|importlib.*")
        yield


def assert_exports(network: nn.Module) -> None:
    sides = torch.export.Dim("side", min=2, max=16) * 32
    with only_our_warnings():
        exported = torch.export.export(network, (images(),), dynamic_shapes=({2: sides, 3: sides},)).module()
    with torch.no_grad():
        for size in (64, 96):
            torch.testing.assert_close(exported(images(size)), network(images(size)), rtol=1e-4, atol=1e-5)


def gradients(network: nn.Module, run: nn.Module) -> list[Tensor]:
    network.zero_grad()
    run(images()).square().sum().backward()
    return [one.grad.clone() for one in network.parameters() if one.grad is not None]


def assert_compiles(network: nn.Module, backend: str) -> None:
    with only_our_warnings():
        torch.compiler.reset()
        compiled = torch.compile(network, backend=backend, fullgraph=True)
        with torch.no_grad():
            torch.testing.assert_close(compiled(images()), network(images()), rtol=1e-4, atol=1e-5)
        expected, found = gradients(network, network), gradients(network, compiled)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * other.abs().max().item() + 1e-7)


@pytest.mark.parametrize(
    "preset", [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in FAMILIES]
)
def test_a_network_of_every_family_can_be_exported(preset: str) -> None:
    assert_exports(build(small(preset, depth=1), classes=10).eval())


@pytest.mark.slow
@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_can_be_exported(preset: str) -> None:
    assert_exports(build(small(preset), classes=10).eval())


@pytest.mark.slow
@pytest.mark.parametrize("preset", FAMILIES)
def test_a_network_of_every_family_is_one_graph_with_its_gradients(preset: str) -> None:
    assert_compiles(build(small(preset, depth=1), classes=10).eval(), "aot_eager")


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["convnext_tiny", "replknet_31b"])  # a minute or two each
def test_code_is_generated_for_networks(preset: str) -> None:
    assert_compiles(build(small(preset, depth=1), classes=10).eval(), "inductor")


@pytest.mark.parametrize("preset", FAMILIES)
def test_a_network_of_every_family_trains_under_bf16_autocast(preset: str) -> None:
    network = build(small(preset, depth=1), classes=10).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(images())
    logits.float().square().sum().backward()
    assert logits.shape == (2, 10)
    assert all(one.grad is not None and one.grad.isfinite().all() for one in network.parameters())
