"""What commands say about the data that they are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from nas.cli.main import main
from nas.cli.preparing import ready_images
from nas.errors import DataError

CHECK = ("check", "--space", "tiny", "--budget", "30MFLOPs", "--epochs", "1", "--trials", "1")


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """train/, valid/ and test/ with 8 images each, two of them of another kind, and one that is damaged."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    root, shade = tmp_path / "images", 0
    for part in ("train", "valid", "test"):
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for index in range(4):
                shade += 5
                mode = "L" if (part, index) == ("train", 3) else "RGB"
                Image.new("RGB", (9, 7), (shade, 200, 10)).convert(mode).save(root / part / name / f"{index}.png")
    (root / "test" / "dog" / "bad.png").write_text("no image")
    return root


def test_check_counts_the_images_and_says_what_was_left_out(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CHECK, "--data", f"folder:{images}"]) == 2
    refused = capsys.readouterr()
    assert "test/dog/bad.png: cannot be read as an image" in refused.err
    assert (refused.out, "Traceback" in refused.err) == ("", False)
    assert main([*CHECK, "--data", f"folder:{images}?corrupt=skip", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["images"] == {"train": 8, "validation": 8, "test": 8}
    assert [sentence.partition(":")[0] for sentence in plan["findings"]] == [
        "1 image left out",
        "2 images converted (2 of mode L)",
    ]


def test_findings_and_changes_are_seen_where_the_cache_is_warm(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = f"folder:{images}?corrupt=skip"
    known = ready_images(reference, 4).fingerprint
    assert "bad.png" in capsys.readouterr().err
    (images / "test" / "dog" / "bad.png").unlink()
    assert ready_images(reference, 4, expected=known).fingerprint == known
    assert "bad.png" not in capsys.readouterr().err
    (images / "train" / "dog" / "0.png").unlink()
    with pytest.raises(DataError, match=r"have changed since they were trained on.* now 7 images to train on"):
        ready_images(reference, 4, expected=known)
