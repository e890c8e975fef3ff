from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.errors import UserError
from nas.report.chart import Panel, Series, require_chart_form, write_chart

X = np.arange(1.0, 21)
RISING = Series("ours", X, X / 20, X / 25, X / 18)
FLAT = Series("theirs", X, X * 0 + 0.3, X * 0 + 0.3, X * 0 + 0.3)


@pytest.mark.slow
def test_image_shows_every_line_in_its_colour(tmp_path: Path) -> None:
    write_chart([Panel("a", "x", "y", [RISING, FLAT]), Panel("b", "x", "y", [FLAT])], tmp_path / "p.png", title="t")
    image = Image.open(tmp_path / "p.png").convert("RGB")
    first, second = np.array_split(np.asarray(image), 2)
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
    with pytest.raises(UserError, match=r"curves can be drawn as \.html, \.png, \.svg"):
        write_chart([], tmp_path / "p.pdf", title="")


def test_without_matplotlib_images_are_one_message_and_pages_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.report.images.find_spec", lambda name: None)
    for suffix in (".png", ".svg"):
        with pytest.raises(UserError, match=r"nas-convnets\[plots\].*\.html needs nothing"):
            write_chart([], tmp_path / f"p{suffix}", title="")
    require_chart_form(tmp_path / "p.html")
    assert not list(tmp_path.iterdir())
