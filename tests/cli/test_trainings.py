"""What is said before a training begins."""

from __future__ import annotations

import pytest

from nas.cli.trainings import note_open_drop_path
from nas.space import load_architecture
from nas.train.recipe import load_recipe


def test_a_rate_that_nobody_gives_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Recipes of papers leave the drop path to the architecture; ResNet's authors knew none."""
    found = {name: load_architecture(name) for name in ("resnet50", "convnext_tiny")}
    note_open_drop_path(load_recipe("convnext_300e"), found)
    said = " ".join(capsys.readouterr().err.split())
    assert "resnet50 says none: nothing is dropped" in said
    assert "convnext_tiny" not in said
    note_open_drop_path(load_recipe("convnext_300e").changed(drop_path=0.1), found)
    assert capsys.readouterr().err == ""
