"""Exported networks where nothing is installed but what their form needs: an environment of its own for each.

An environment holds links to the installed distributions it names and to those that they require, and nothing else.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import venv
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import numpy
import pytest
import torch
from packaging.requirements import Requirement

import nas
from nas.export.forms import Options
from nas.export.taking import fresh_bundle, write_export
from nas.space import load_space
from nas.space.askers import drawing
from nas.task import Task

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HERE = Path(__file__).parent
TORCH = """
import runpy, sys, warnings
warnings.simplefilter("ignore")
import torch
model, images, logits = sys.argv[1:]
network = runpy.run_path(model)["build"]()
with torch.no_grad():
    torch.save(network(torch.load(images, weights_only=True)), logits)
"""
ONNX = """
import sys
import numpy, onnxruntime
model, images, logits = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
numpy.save(logits, session.run(None, {"images": numpy.load(images)})[0])
"""
TIMM = """
import sys, warnings
warnings.simplefilter("ignore")
import without_torchvision
import nas, timm, torch
folder, images, logits = sys.argv[1:]
network = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
with torch.no_grad():
    torch.save(network(torch.load(images, weights_only=True)), logits)
"""
LISTED = "import importlib.metadata as m, json; print(json.dumps(sorted(d.name.lower() for d in m.distributions())))"


def environment(place: Path, *names: str) -> Path:
    """The interpreter of a new environment that holds some installed distributions and what they require."""
    try:
        venv.create(place, symlinks=True, with_pip=False)
        (packages,) = place.glob("lib/python*/site-packages")
        for one in needed(names).values():
            link(one, packages)
    except (OSError, PackageNotFoundError) as error:
        pytest.skip(f"no such environment can be made here: {error}")
    return place / "bin" / "python"


def needed(names: Sequence[str]) -> dict[str, Distribution]:
    """Those distributions and, as far as they are installed, what they require without extras."""
    found: dict[str, Distribution] = {name: distribution(name) for name in names}
    waiting = list(found.values())
    while waiting:
        for text in waiting.pop().requires or ():
            one = Requirement(text)
            if one.name.lower() in found or (one.marker is not None and not one.marker.evaluate({"extra": ""})):
                continue
            try:
                found[one.name.lower()] = distribution(one.name)
            except PackageNotFoundError:  # torchvision, which timm names and its networks do not need
                continue
            waiting.append(found[one.name.lower()])
    return found


def link(one: Distribution, packages: Path) -> None:
    """Its files, by what stands at the top of the folder of packages."""
    home = Path(str(one.locate_file("")))
    for name in sorted({file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}):
        if not name.endswith(".pth") and (home / name).exists() and not (packages / name).exists():
            (packages / name).symlink_to(home / name)


def run(python: Path, code: str, *words: Path, also: Sequence[Path] = ()) -> str:
    """What a program prints there, with nothing of this environment on its path."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PYTHONPATH"] = os.pathsep.join(map(str, also))
    command = [str(python), "-c", code, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=python.parent, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def images(tmp_path: Path) -> torch.Tensor:
    made = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    torch.save(made, tmp_path / "images.pt")
    numpy.save(tmp_path / "images.npy", made.numpy())
    return made


def export(tmp_path: Path, images: torch.Tensor, form: str) -> torch.Tensor:
    """Write a network in a form; what it computes here."""
    network = load_space("tiny").build(drawing(random.Random(0)))
    write_export(tmp_path / "out", fresh_bundle(network, Task(resolution=64, classes=10)), [form], Options())
    with torch.no_grad():
        logits: torch.Tensor = nas.load_model(tmp_path / "out")(images)
    return logits


def test_model_py_runs_where_torch_alone_is_installed(tmp_path: Path, images: torch.Tensor) -> None:
    expected = export(tmp_path, images, "python")
    python = environment(tmp_path / "torch", "torch")
    there = json.loads(run(python, LISTED))
    assert "torch" in there
    assert not {"nas-convnets", "timm", "safetensors", "numpy", "onnxruntime"} & set(there)
    run(python, TORCH, tmp_path / "out/model.py", tmp_path / "images.pt", tmp_path / "logits.pt")
    torch.testing.assert_close(torch.load(tmp_path / "logits.pt", weights_only=True), expected)


def test_the_onnx_file_runs_where_onnxruntime_alone_is_installed(tmp_path: Path, images: torch.Tensor) -> None:
    expected = export(tmp_path, images, "onnx")
    python = environment(tmp_path / "onnxruntime", "onnxruntime")
    there = json.loads(run(python, LISTED))
    assert "onnxruntime" in there
    assert not {"nas-convnets", "torch", "onnx"} & set(there)
    run(python, ONNX, tmp_path / "out/model.onnx", tmp_path / "images.npy", tmp_path / "logits.npy")
    found = torch.from_numpy(numpy.load(tmp_path / "logits.npy"))
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_create_model_works_where_timm_and_nas_are_installed(tmp_path: Path, images: torch.Tensor) -> None:
    expected = export(tmp_path, images, "timm")
    python = environment(tmp_path / "timm", "timm", "nas-convnets")
    there = json.loads(run(python, LISTED))
    assert {"timm", "nas-convnets"} <= set(there)
    assert not {"onnx", "onnxruntime", "openvino", "pytest"} & set(there)
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub/without_torchvision.py").symlink_to(HERE / "without_torchvision.py")
    (tmp_path / "stub/nas").symlink_to(Path(nas.__file__).parent)
    paths = (tmp_path / "out/timm", tmp_path / "images.pt", tmp_path / "logits.pt")
    run(python, TIMM, *paths, also=[tmp_path / "stub"])
    torch.testing.assert_close(torch.load(tmp_path / "logits.pt", weights_only=True), expected)
