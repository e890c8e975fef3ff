"""Checkpoints of the newer families against the outputs of timm's or the official code.

`newer_outputs.json` holds, for a network of each family and layout, the names and shapes of its state dict and what the
real implementation (torch 2.13, CPU) puts out on reproducible weights. `gain` stretches the weights of layers where the
outputs would hardly depend on them otherwise, or explode.
"""

import json
from functools import cache
from pathlib import Path

import pytest
import torch
from reproducible import images, weight

from nas.architecture import build
from nas.export.layouts import layouts_of
from nas.export.official import from_official
from nas.space import load_architecture

RECORDED = json.loads((Path(__file__).parent / "newer_outputs.json").read_text())


@cache
def checkpoint(model: str) -> dict[str, torch.Tensor]:
    recorded = RECORDED[model]
    return {key: weight(key, shape, recorded["gain"]) for key, shape in recorded["state_dict"].items()}


def distance(network: torch.nn.Module, model: str) -> float:
    """Of the first logits, as a share of the largest one."""
    recorded = RECORDED[model]
    with torch.no_grad():
        found = network(images(*recorded["input"]))[:, :8]
    return ((found - torch.tensor(recorded["logits_first8"])).abs().max() / recorded["max_abs"]).item()


QUICK = ("ConvNeXtV2-Atto", "RegNetY-200MF", "StarNet-S050")


@pytest.mark.parametrize(
    "model", [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in RECORDED]
)
def test_a_checkpoint_gives_the_outputs_of_the_real_implementation(model: str) -> None:
    assert distance(from_official(RECORDED[model]["preset"], checkpoint(model)), model) <= 3e-5


NAMES = {
    "resnet50": ("conv1.weight", "layer1.0.downsample.1.running_var", "layer4.2.bn3.bias", "fc.bias"),
    "resnext50_32x4d": ("bn1.weight", "layer2.3.conv2.weight", "fc.weight"),
    "unireplknet_a": (
        "downsample_layers.0.3.weight", "downsample_layers.2.1.bias", "stages.0.1.dwconv.weight", "stages.1.0.gamma",
        "stages.2.5.dwconv.lk_origin.weight", "stages.2.5.dwconv.dil_bn_k7_2.running_mean", "stages.3.0.act.1.beta",
        "stages.1.1.se.down.weight", "stages.0.0.pwconv1.1.bias", "stages.0.0.pwconv2.2.weight", "norm.bias",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "preset", [pytest.param(one, marks=[pytest.mark.slow] * (one != "unireplknet_a")) for one in NAMES]
)
def test_names_of_the_older_families_are_those_of_their_code(preset: str) -> None:
    """Names only, from reading the code: there are no recorded outputs of these."""
    network = build(load_architecture(preset))
    (layout,) = layouts_of(preset)
    named = {layout.official(key): tensor for key, tensor in network.state_dict().items()}
    assert len(named) == len(network.state_dict())
    assert set(NAMES[preset]) <= set(named)
    assert not [name for name in named if "branch" in name or "blocks" in name]
    again = from_official(preset, named)
    x = images(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(again(x), network.eval()(x))
