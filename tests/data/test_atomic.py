from __future__ import annotations

import os
from pathlib import Path

import pytest

from nas.data.atomic import new_file


def write_half(path: Path) -> None:
    with new_file(path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("half way")


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_takes_the_place_of_a_device_or_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="is a device or a pipe, not a file"), new_file(path):
        pass
    assert path.is_fifo()
