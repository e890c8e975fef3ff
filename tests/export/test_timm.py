"""Folders for timm, opened by timm itself, with nas and without it; one process each, since timm stays imported."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from reproducible import images
from safetensors.torch import load_file, save_file
from test_official import checkpoint

import nas
from nas.architecture import Architecture
from nas.export.forms import Options
from nas.export.imported import import_checkpoint
from nas.export.taking import copied_bundle, fresh_bundle, write_export
from nas.export.timm_class import timm_class
from nas.space import load_architecture, load_space
from nas.space.askers import drawing
from nas.task import Task

HERE = Path(__file__).parent
OPEN = """
import importlib.abc, json, sys, warnings
folder, images, out, needs_nas, given = sys.argv[1:]
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "nas":
            raise ImportError("nas is not here")
if needs_nas == "no":
    sys.meta_path.insert(0, Refuse())
import without_torchvision
from safetensors.torch import load_file, save_file
warnings.simplefilter("ignore")
if needs_nas == "yes":
    import nas
import timm, torch
network = timm.create_model(f"local-dir:{folder}", **json.loads(given)).eval()
x = load_file(images)["x"]
with torch.no_grad():
    y = network(x)
y = {"logits": y} if torch.is_tensor(y) else {str(i): one.contiguous() for i, one in enumerate(y)}
save_file(y, out)
"""


def opened(folder: Path, x: torch.Tensor, *, with_nas: bool, given: str) -> dict[str, torch.Tensor]:
    """What the network of a folder, made by timm in a process of its own, computes."""
    if find_spec("timm") is None:
        pytest.skip("timm is not installed")
    place = folder.parent
    save_file({"x": x}, place / "x.safetensors")
    files = [str(folder), str(place / "x.safetensors"), str(place / "y.safetensors")]
    words = [*files, "yes" if with_nas else "no", given]
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", OPEN, *words], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    return load_file(place / "y.safetensors")


@pytest.mark.slow
def test_an_official_checkpoint_goes_to_timm_and_gives_equal_logits_without_nas(tmp_path: Path) -> None:
    torch.save({"model": checkpoint("ConvNeXt-T")}, tmp_path / "official.pth")
    import_checkpoint(tmp_path / "official.pth", "convnext_tiny", tmp_path / "imported")
    write_export(tmp_path / "out", copied_bundle(tmp_path / "imported"), ["timm"], Options())
    document = json.loads((tmp_path / "out/timm/config.json").read_text())
    assert document["architecture"] == "convnext_tiny"
    x = images(2, 3, 96, 96)
    with torch.no_grad():
        expected = nas.load_model(tmp_path / "imported")(x)
    logits = opened(tmp_path / "out/timm", x, with_nas=False, given='{"pretrained": true}')["logits"]
    difference = ((logits - expected).abs().max() / expected.abs().max()).item()
    print(f"timm against nas: {difference:.1e} of the largest logit")
    assert difference <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["convnextv2_atto", "resnet50", "resnext50_32x4d"])
def test_classes_of_timm_need_no_nas(preset: str, tmp_path: Path) -> None:
    write_export(
        tmp_path / "out", fresh_bundle(load_architecture(preset), Task(classes=10, resolution=64)), ["timm"], Options()
    )
    x = images(2, 3, 64, 64)
    with torch.no_grad():
        expected = nas.load_model(tmp_path / "out")(x)
    logits = opened(tmp_path / "out/timm", x, with_nas=False, given='{"pretrained": true}')["logits"]
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("given", ["{}", '{"pretrained": true}', '{"features_only": true}'])
def test_every_other_network_is_opened_with_its_weights_after_import_nas(given: str, tmp_path: Path) -> None:
    architecture = load_space("tiny").build(drawing(random.Random(0)))
    assert timm_class(architecture) is None
    write_export(tmp_path / "out", fresh_bundle(architecture, Task(classes=10, resolution=32)), ["timm"], Options())
    x = images(2, 3, 32, 32)
    found = opened(tmp_path / "out/timm", x, with_nas=True, given=given)
    with torch.no_grad():
        if "logits" in found:
            torch.testing.assert_close(found["logits"], nas.load_model(tmp_path / "out")(x))
        else:
            expected = nas.load_model(tmp_path / "out", features_only=True)(x)
            torch.testing.assert_close([found[str(index)] for index in range(len(expected))], expected)


def test_only_what_is_alike_is_a_class_of_timm() -> None:
    assert timm_class(load_architecture("convnext_tiny")).arguments["depths"] == [3, 3, 9, 3]
    assert timm_class(load_architecture("resnext101_64x4d")).entry == "resnext101_64x4d"
    for other in ("convnext_isotropic_small", "unireplknet_a", "van_b0", "regnetx_200mf", "r50_to_convnext_t/gelu"):
        assert timm_class(load_architecture(other)) is None
    data = load_architecture("convnext_tiny").to_dict()
    data["stages"][1]["block"]["mixer"] = {"kind": "depthwise", "kernel": 5}
    assert timm_class(Architecture.from_dict(data)).arguments["kernel_sizes"] == [7, 5, 7, 7]
    data["stages"][1]["block"]["act"] = "relu"
    assert timm_class(Architecture.from_dict(data)) is None


def test_names_for_timm_are_those_of_its_checkpoints() -> None:
    architecture = load_architecture("convnext_tiny")
    network = nas.build(architecture)
    names = timm_class(architecture).state(network.state_dict())
    assert {"stem.0.weight", "stages.1.downsample.1.bias", "stages.2.blocks.8.mlp.fc1.weight", "head.fc.bias"} <= set(
        names
    )
    assert len(names) == len(network.state_dict())
