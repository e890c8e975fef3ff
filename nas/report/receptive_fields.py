"""Effective receptive fields side by side: a figure, and a table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nas.analysis.receptive_field import logarithmic, middle_of
from nas.export.receptive_fields import ReceptiveField, percent
from nas.report.images import new_figure, write_figure
from nas.report.markdown import grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACROSS = 4  # fields in a row of the figure
_INCHES = 2.6
_MARKED = 0.5  # the share whose square is drawn


def write_fields(fields: Sequence[ReceptiveField], path: Path) -> None:
    """Draw fields side by side, each scaled to its own highest contribution, as .png or .svg.

    Colours show log10(contribution + 1), as RepLKNet's figure does; the square holds half of that.
    """
    across = min(_ACROSS, len(fields))
    down = -(-len(fields) // across)
    figure = new_figure(_INCHES * across, (_INCHES + 0.8) * down)
    grid_of_axes = figure.subplots(down, across, squeeze=False)
    for axes, one in zip(grid_of_axes.flat, fields, strict=False):
        scores = logarithmic(one.field)
        axes.imshow(scores / scores.max(), cmap="Greens", vmin=0, vmax=1, interpolation="nearest")
        _mark(axes, one)
        axes.set_title(f"{Path(one.name).name}\n{one.weights}, {one.resolution}x{one.resolution}", fontsize=9,
                       parse_math=False)  # fmt: skip
        axes.set_xlabel(_areas(one), fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in grid_of_axes.flat[len(fields) :]:
        axes.set_visible(False)
    write_figure(figure, path)


def _mark(axes: Axes, one: ReceptiveField) -> None:
    from matplotlib.patches import Rectangle

    (square,) = (square for square in one.squares if square.share == _MARKED)
    row, column = middle_of(logarithmic(one.field))
    corner = (column - square.side / 2, row - square.side / 2)
    axes.add_patch(Rectangle(corner, square.side, square.side, fill=False, edgecolor="#ff725c", linewidth=1.2))


def _areas(one: ReceptiveField) -> str:
    areas = [f"{percent(square.share)}%: {square.area:.1%}" for square in one.squares]
    return "\n".join("    ".join(areas[start : start + 2]) for start in (0, 2))


def markdown(fields: Sequence[ReceptiveField]) -> str:
    """A table of the areas, of the logarithm first, of the contributions themselves behind."""
    shares = [percent(square.share) for square in fields[0].squares]
    heads = ["network", "weights", *(f">t = {share}%" for share in shares), *(f">linear {share}%" for share in shares)]
    rows = [
        [one.name, one.weights, *(f"{square.area:.1%}" for square in (*one.squares, *one.linear))] for one in fields
    ]
    return "\n".join(grid(heads, rows)) + "\n"
