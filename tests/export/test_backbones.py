"""Exported networks as backbones, and architectures that come back from what is exported."""

from __future__ import annotations

import ast
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings, strategies as st

import nas
from nas.architecture import Architecture, skeleton
from nas.errors import MisfitError
from nas.export.bundle import About, Provenance
from nas.export.forms import Options
from nas.export.taking import fresh_bundle, write_export
from nas.export.timm_config import timm_config
from nas.schema.packaged import space_names
from nas.space import load_space
from nas.space.askers import drawing
from nas.task import Task

PAGE = Path(__file__).parents[2] / "docs" / "export.md"


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_the_detector_of_the_page_learns_on_the_maps_of_an_exported_network(channels: int, tmp_path: Path) -> None:
    (code,) = re.findall(r"`detector.py`:\n\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "detector.py").write_text(code)
    network = load_space("tiny").build(drawing(random.Random(0)))
    task = Task(resolution=64, classes=10, channels=channels)
    write_export(tmp_path / "winner", fresh_bundle(network, task), [], Options())
    done = subprocess.run([sys.executable, "detector.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    losses = [float(line.rpartition(" ")[2]) for line in done.stdout.splitlines() if line.startswith("step")]
    assert len(losses) == 10
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.slow
def test_every_weight_of_a_backbone_gets_a_gradient(tmp_path: Path) -> None:
    network = load_space("tiny").build(drawing(random.Random(0)))
    write_export(tmp_path / "out", fresh_bundle(network, Task(resolution=64, classes=10)), [], Options())
    backbone = nas.load_model(tmp_path / "out", features_only=True).train()
    maps = backbone(torch.randn(2, 3, 64, 64))
    torch.stack([one.square().mean() for one in maps]).sum().backward()
    assert [64 // one.shape[-1] for one in maps] == backbone.feature_info.reduction()
    assert all(one.grad is not None for one in backbone.parameters())


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(space=st.sampled_from(sorted(space_names())), seed=st.integers(0, 10**6))
def test_an_architecture_comes_back_from_python_and_timm(space: str, seed: int) -> None:
    try:
        one = load_space(space).build(drawing(random.Random(seed)))
    except MisfitError:
        assume(False)  # a draw that a rule of the space forbids; samplers draw again
    assert ast.literal_eval(repr(one.to_dict())) == one.to_dict()
    assert Architecture.from_dict(ast.literal_eval(repr(one.to_dict()))).id == one.id
    network = skeleton(one, classes=7)  # no weights are needed
    about = Provenance(task=Task(classes=7), classes=(), mean=(0.5,) * 3, std=(0.5,) * 3, results={})
    document = json.loads(json.dumps(timm_config(one, network, About(about, merged=False))))
    assert Architecture.from_dict(document["nas"]["structure"]).id == one.id
