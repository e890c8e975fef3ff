"""`nas erf` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from nas.cli.main import main

Capture = pytest.CaptureFixture[str]

TINY = """
stem: {kind: patchify, patch: 2}
stages:
  - {depth: 1, width: 8, block: {kind: mixer_first, mixer: {kind: depthwise, kernel: %d}}}
"""


@pytest.fixture(autouse=True)
def _two_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kernel in (3, 13):
        Path(f"k{kernel}.yaml").write_text(TINY % kernel)


def test_larger_kernels_reach_further(capsys: Capture) -> None:
    arguments = ["k3.yaml", "k13.yaml", "-n", "2", "-r", "24", "-o", "erf.png", "--json"]
    assert main(["erf", *arguments]) == 0
    small, large = json.loads(capsys.readouterr().out)
    assert small["name"] == "k3.yaml"
    assert (small["weights"], small["images"], small["resolution"]) == ("fresh", 2, 24)
    assert list(small["area"]) == ["20", "30", "50", "99"]
    assert small["side"]["99"] < large["side"]["99"]
    for row in (small, large):
        assert list(row["area"].values()) == sorted(row["area"].values())
        assert all(row["linear_area"][share] <= row["area"][share] for share in row["area"])
    with Image.open("erf.png") as image:
        assert image.width > image.height
    assert main(["erf", *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == [small, large]
    assert main(["erf", "k3.yaml", "-n", "1", "-r", "16"]) == 0
    assert "Fresh weights hold back" in capsys.readouterr().out


@pytest.mark.slow
def test_weights_of_a_folder_are_trained_ones_on_images_of_their_channels(capsys: Capture) -> None:
    assert main(["train", "k3.yaml", "-o", "trained", "--epochs", "1", "--data", "digits", "--device", "cpu"]) == 0
    capsys.readouterr()
    assert main(["erf", "trained", "k3.yaml", "--data", "digits", "-n", "2", "-r", "16", "--json"]) == 0
    trained, fresh = json.loads(capsys.readouterr().out)
    assert (trained["weights"], fresh["weights"], trained["data"]) == ("trained", "fresh", "digits")
    assert main(["erf", "trained", "-n", "2"]) == 0
    said = capsys.readouterr().out
    assert "2 images of noise" in said
    assert "Fresh weights" not in said


def test_other_forms_bare_checkpoints_and_absent_matplotlib_are_refused(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["erf", "k3.yaml", "-o", "erf.gif"]) == 2
    assert ".png, .svg" in capsys.readouterr().err
    Path("weights.pth").write_bytes(b"")
    assert main(["erf", "weights.pth"]) == 2
    assert "nas import --preset NAME -o FOLDER weights.pth" in capsys.readouterr().err
    monkeypatch.setattr("nas.report.images.find_spec", lambda name: None)
    assert main(["erf", "k3.yaml", "-o", "erf.png"]) == 2
    assert "nas-convnets[plots]" in capsys.readouterr().err.replace("\n", "")
    assert not Path("erf.png").exists()
