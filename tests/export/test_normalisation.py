"""Normalisation belongs to a release, and goes along with its weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from reproducible import weight

from nas.export import normalisation
from nas.export.imported import import_checkpoint
from nas.export.normalisation import CLIP, HALF, IMAGENET, Normalisation, released_normalisation
from nas.schema.packaged import preset_names


def test_only_presets_are_named() -> None:
    assert set(normalisation._BY_PRESET) <= set(preset_names())


@pytest.mark.parametrize(
    ("preset", "expected"),
    [("replknet_xl", HALF), ("replknet_31b", IMAGENET), ("convnext_tiny", IMAGENET), ("efficientnetv2_s", HALF),
     ("efficientnetv2_b0", IMAGENET), ("convnext_xxlarge", CLIP)],
)  # fmt: skip
def test_releases_have_their_own(preset: str, expected: Normalisation) -> None:
    assert released_normalisation(preset) == expected


def test_imports_carry_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = json.loads((Path(__file__).parent / "newer_outputs.json").read_text())["StarNet-S050"]
    torch.save({key: weight(key, shape) for key, shape in recorded["state_dict"].items()}, tmp_path / "weights.pth")
    for expected in (IMAGENET, HALF):
        monkeypatch.setitem(normalisation._BY_PRESET, recorded["preset"], expected)
        import_checkpoint(tmp_path / "weights.pth", recorded["preset"], tmp_path / str(expected.mean[0]))
        about = json.loads((tmp_path / str(expected.mean[0]) / "model.json").read_text())
        assert (tuple(about["mean"]), tuple(about["std"])) == expected
