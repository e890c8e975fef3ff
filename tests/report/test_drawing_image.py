from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.report.drawing import drawn_parts, height_of, placed
from nas.report.drawing_image import write_drawing
from nas.space import load_architecture
from nas.task import Task


@pytest.mark.slow
def test_image_has_the_layout_of_the_drawing_and_the_colours_of_a_pattern(tmp_path: Path) -> None:
    parts = drawn_parts(load_architecture("unireplknet_t"), Task())
    write_drawing(parts, tmp_path / "drawing.png", title="$ two patterns $")
    with Image.open(tmp_path / "drawing.png") as image:
        width, height = image.size
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    assert abs(height / width - height_of(placed(parts)) / 384) < 0.01
    blue, orange = ((pixels[:, 2] > pixels[:, 0] + 60).sum(), (pixels[:, 0] > pixels[:, 2] + 60).sum())
    assert blue > orange > 0
