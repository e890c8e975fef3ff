"""The drawing of an architecture as a PNG: the layout of `nas.report.drawing`, by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nas.report.drawing import BASELINE, LINE, TEXT, TOP, WIDTH, DrawnPart, bars_of, height_of, placed
from nas.report.images import new_figure, write_figure

_UNITS = 72.0  # an inch, so that a font of 11 points is 11 units high, as in the SVG
_TITLE, _FONT = 13 * 0.8, 11 * 0.8  # matplotlib's letters are wider than a browser's


def write_drawing(parts: Sequence[DrawnPart], path: Path, *, title: str) -> None:
    """Write a drawing as an image; needs matplotlib."""
    from matplotlib.patches import Rectangle

    rows = placed(parts)
    height = height_of(rows)
    figure = new_figure(WIDTH / _UNITS, height / _UNITS)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height - TOP, -TOP)
    axes.text(10, 18 - TOP, title, fontsize=_TITLE, weight="bold", parse_math=False)
    for row in rows:
        for bar in bars_of(row):
            place = (bar.x, bar.y)
            axes.add_patch(Rectangle(place, bar.width, bar.height, color=bar.colour, alpha=row.opacity, linewidth=0))
        baseline = row.top + BASELINE
        name = axes.text(TEXT, baseline, f"{row.part.name} ", fontsize=_FONT, weight="bold", parse_math=False)
        axes.annotate(
            row.part.facts, (1, 0), (3, 0), xycoords=name, textcoords="offset points", va="bottom", fontsize=_FONT,
            parse_math=False,
        )  # fmt: skip
        for index, line in enumerate(row.part.words, start=1):
            axes.text(TEXT, baseline + index * LINE, line, fontsize=_FONT, alpha=0.75, parse_math=False)
    write_figure(figure, path)
