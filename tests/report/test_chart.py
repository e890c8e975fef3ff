from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.errors import UserError
from nas.report.chart import Panel, Series, ticks, write_chart

X = np.arange(1.0, 21)
RISING = Series("ours", X, X / 20, X / 25, X / 18)
FLAT = Series("theirs", X, X * 0 + 0.3, X * 0 + 0.3, X * 0 + 0.3)


def test_image_shows_every_line_in_its_colour(tmp_path: Path) -> None:
    write_chart([Panel("a", "x", "y", [RISING, FLAT]), Panel("b", "x", "y", [FLAT])], tmp_path / "p.png", title="t")
    image = Image.open(tmp_path / "p.png").convert("RGB")
    first, second = (np.asarray(image)[top : top + 420] for top in (0, 420))
    blue, yellow = (66, 105, 208), (239, 177, 24)
    assert (first == blue).all(axis=2).sum() > 100
    assert (first == yellow).all(axis=2).sum() > 100
    assert not (second == blue).all(axis=2).any()  # the colour stays with the name
    assert (second == yellow).all(axis=2).sum() > 100


@pytest.mark.slow
def test_page_needs_no_network(tmp_path: Path) -> None:
    write_chart([Panel("a", "x", "y", [RISING])], tmp_path / "p.html", title="Title of the page")
    page = (tmp_path / "p.html").read_text()
    assert "Title of the page" in page
    assert 'src="http' not in page


def test_other_forms_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.html page or a \.png image"):
        write_chart([], tmp_path / "p.pdf", title="")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.52, 0.98, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        (0, 400, [0, 100, 200, 300, 400]),
        (-1, 1, [-1.0, -0.5, 0.0, 0.5, 1.0]),
    ],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)
    assert len(ticks(3, 3)) > 1
