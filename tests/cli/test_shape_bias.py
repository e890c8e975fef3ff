"""`nas shape-bias` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.cli.main import main

Capture = pytest.CaptureFixture[str]

TINY = """
stem: {kind: patchify, patch: 2}
stages:
  - {depth: 1, width: 8, block: {kind: mixer_first, mixer: {kind: depthwise, kernel: 3}}}
"""


def stripes(*, upright: bool) -> np.ndarray:
    image = np.zeros((16, 16, 3), dtype=np.uint8)
    image[:, ::2] = 255
    return image if upright else image.transpose(1, 0, 2)


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> str:
    """Weights that tell cats (upright stripes) from dogs (lying ones)."""
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(TINY)
    random = np.random.default_rng(0)
    for split, count in (("train", 40), ("val", 10), ("test", 10)):
        for name, upright in (("cat", True), ("dog", False)):
            folder = tmp_path / "images" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                noisy = stripes(upright=upright) * random.uniform(0.5, 1)
                Image.fromarray(noisy.astype(np.uint8)).save(folder / f"{index}.png")
    Path("recipe.yaml").write_text("epochs: 8\nbatch: 8\nlearning_rate: 4e-3\ninit: fan_in\nresolution: 16\n")
    arguments = ["--recipe", "recipe.yaml", "--data", f"folder:{tmp_path / 'images'}", "--device", "cpu"]
    assert main(["train", "net.yaml", "-o", "trained", *arguments]) == 0
    capsys.readouterr()
    return "trained"


@pytest.mark.slow
def test_decisions_for_the_shape_are_counted(trained: str, capsys: Capture) -> None:
    folder = Path("conflicts")
    folder.mkdir()
    for index in range(3):
        Image.fromarray(stripes(upright=True)).save(folder / f"cat{index}-dog{index}.png")
    for name in ("dog1-cat1", "cat1-cat2", "cat1-oven1"):
        Image.fromarray(stripes(upright=True)).save(folder / f"{name}.png")
    assert main(["shape-bias", trained, "--data", "conflicts", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["shape"], found["texture"], found["share"]) == (4, 3, 1, 0.75)
    assert (found["without_conflict"], found["unknown"]) == (1, 1)
    assert found["mapping"] == {"cat": [0], "dog": [1]}
    assert found["classes"]["dog"]["share"] == 0
    assert found["low"] < 0.75 < found["high"]
    assert main(["shape-bias", trained, "--data", "conflicts"]) == 0
    assert "75% (30% to 95%)" in capsys.readouterr().out


def test_fresh_weights_are_refused(tmp_path: Path, capsys: Capture) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "cat1-dog1.png")
    assert main(["shape-bias", "convnext_atto", "--data", str(tmp_path)]) == 2
    assert "has no trained weights" in capsys.readouterr().err
    assert main(["shape-bias", "convnext_atto", "--data", str(tmp_path / "absent")]) == 2
    assert "no such folder" in capsys.readouterr().err
