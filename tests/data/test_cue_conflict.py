from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nas.data.cue_conflict import find_cue_conflicts, read_cue_conflicts
from nas.data.images import ImageError
from nas.errors import DataError


def write(folder: Path, *names: str) -> None:
    for shade, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 10), (shade, 0, 255)).save(folder / name)


def test_names_say_shape_and_texture_in_any_folder(tmp_path: Path) -> None:
    write(tmp_path, "cat/cat7-elephant12.png", "airplane1-oven2.png")
    (tmp_path / "readme.txt").write_text("not an image")
    found = find_cue_conflicts(tmp_path)
    assert [(one.shape, one.texture) for one in found] == [("airplane", "oven"), ("cat", "elephant")]
    told: list[tuple[int, int]] = []
    batches = list(read_cue_conflicts(found, side=8, channels=3, batch=1, progress=lambda *done: told.append(done)))
    assert [batch.shape for batch in batches] == [(1, 3, 8, 8)] * 2
    assert [int(batch[0, 0, 0, 0]) for batch in batches] == [1, 0]
    assert told == [(1, 2), (2, 2)]


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        find_cue_conflicts(tmp_path / "absent")
    with pytest.raises(DataError, match="no images"):
        find_cue_conflicts(tmp_path)
    write(tmp_path, "cat1-dog1.png", "cat1-unicorn2.png", "img_004.png")
    with pytest.raises(DataError, match=r"cat1-unicorn2.png, img_004.png: not named like"):
        find_cue_conflicts(tmp_path)


def test_damaged_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "cat1-dog1.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match="cat1-dog1"):
        list(
            read_cue_conflicts(
                find_cue_conflicts(tmp_path), side=8, channels=3, batch=4, progress=lambda done, total: None
            )
        )
