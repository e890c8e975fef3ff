"""The older families, made small by their widths, through `torch.export`, `torch.compile` and bf16 autocast."""

from __future__ import annotations

import pytest
import torch
from exporting import assert_exports, images, only_our_warnings
from torch import Tensor, nn

from nas.architecture import Architecture, build
from nas.schema.packaged import preset_names
from nas.space import load_architecture

FAMILIES = (
    "convnext_tiny", "convnext_isotropic_small", "conv2former_n", "replknet_31b", "resnet50", "resnext50_32x4d",
    "unireplknet_a", "van_b0", "r50_to_convnext_t/move_up_dwconv",
)  # fmt: skip
BEGINNINGS = (
    "convnext_", "conv2former", "replknet", "resnet", "resnext", "unireplknet", "van", "r50_to_convnext_t", "r200"
)  # fmt: skip
QUICK: tuple[str, ...] = ()


def small(preset: str, *, depth: int = 2) -> Architecture:
    """The preset with few blocks a stage and an eighth of the width: same parts, fast."""
    data = load_architecture(preset).to_dict()
    for stage in data["stages"]:
        stage["depth"], stage["width"] = min(stage["depth"], depth), max(8, stage["width"] // 8)
        if isinstance(stage["block"], dict) and "grouped" in str(stage["block"].get("mixer")):
            stage["block"]["mixer"] = {"kind": "grouped", "groups": 4}
    return Architecture.from_dict(data)


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
@pytest.mark.parametrize("preset", [one for one in preset_names() if one.startswith(BEGINNINGS)])
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
