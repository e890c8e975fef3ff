from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

WriteImages = Callable[..., Path]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def write_images(tmp_path: Path) -> WriteImages:
    """Writes class folders of small noisy PNGs; returns the data set's folder."""

    def write(*folders: str, count: int = 10, mode: str = "RGB", root: str = "images") -> Path:
        rng = np.random.default_rng(0)
        for folder in folders:
            (tmp_path / root / folder).mkdir(parents=True)
            for index in range(count):
                pixels = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
                pixels.convert(mode).save(tmp_path / root / folder / f"{index}.png")
        return tmp_path / root

    return write
