"""Lines with bands, as a page that needs no network or as an image that needs no browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from nas.data.atomic import new_file
from nas.errors import UserError

Values = NDArray[np.float64]

_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#9498a0", "#a463f2", "#9c6b4e")
_WIDTH, _HEIGHT = 640, 420  # pixels of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 40, 48  # margins around the axes
_TICKS = 6
_FONT_SIZE = 13
_LINE = 18
_BAND = 40  # opacity of 255


@dataclass(frozen=True, eq=False)
class Series:
    """A line with a band around it.

    Attributes:
        name: in the legend.
        x, middle, low, high: (n,) each.
    """

    name: str
    x: Values
    middle: Values
    low: Values
    high: Values


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]


def require_form(path: Path) -> None:
    """Raise UserError for a file whose suffix is neither .html nor .png."""
    if path.suffix not in (".html", ".png"):
        raise UserError(f"{path}: a plot can be an .html page or a .png image")


def write_chart(panels: Sequence[Panel], path: Path, *, title: str) -> None:
    """Write the panels, one below the other, in the form that the suffix of the file names.

    Raises:
        UserError: a suffix other than .html and .png.
    """
    require_form(path)
    with new_file(path) as temporary:
        if path.suffix == ".png":
            _image(panels).save(temporary, format="png")
        else:
            temporary.write_text(_page(panels, title), encoding="utf-8")


def _page(panels: Sequence[Panel], title: str) -> str:
    from plotly.graph_objects import Figure, Scatter  # 0.5 s
    from plotly.subplots import make_subplots

    figure: Figure = make_subplots(rows=len(panels), cols=1, subplot_titles=[panel.title for panel in panels])
    colours = _colours(panels)
    for row, panel in enumerate(panels, start=1):
        for one in panel.series:
            colour = colours[one.name]
            band = {"x": [*one.x, *one.x[::-1]], "y": [*one.high, *one.low[::-1]], "fill": "toself"}
            common = {"legendgroup": one.name, "name": one.name}
            shade = Scatter(
                **band,
                **common,
                fillcolor=colour,
                opacity=_BAND / 255,
                line_width=0,
                hoverinfo="skip",
                showlegend=False,
            )
            line = Scatter(x=one.x, y=one.middle, **common, line_color=colour, showlegend=row == 1)
            figure.add_traces([shade, line], rows=row, cols=1)
        figure.update_xaxes(title_text=panel.x_label, row=row, col=1)
        figure.update_yaxes(title_text=panel.y_label, row=row, col=1)
    figure.update_layout(title=title, height=_HEIGHT * len(panels) + 80, template="simple_white")
    return str(figure.to_html(include_plotlyjs=True, full_html=True))


def _image(panels: Sequence[Panel]) -> Image.Image:
    image = Image.new("RGB", (_WIDTH, _HEIGHT * max(len(panels), 1)), "white")
    colours = _colours(panels)
    for place, panel in enumerate(panels):
        _draw_panel(image, panel, place * _HEIGHT, colours)
    return image


def _colours(panels: Sequence[Panel]) -> dict[str, str]:
    """The same colour for a name in every panel."""
    names = dict.fromkeys(one.name for panel in panels for one in panel.series)
    return {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}


class _Axes:
    """From values to pixels."""

    def __init__(self, panel: Panel, top: int) -> None:
        xs = np.concatenate([one.x for one in panel.series])
        ys = np.concatenate([values for one in panel.series for values in (one.low, one.high)])
        self.x_ticks, self.y_ticks = ticks(float(xs.min()), float(xs.max())), ticks(float(ys.min()), float(ys.max()))
        self._x = (min(self.x_ticks[0], float(xs.min())), max(self.x_ticks[-1], float(xs.max())))
        self._y = (min(self.y_ticks[0], float(ys.min())), max(self.y_ticks[-1], float(ys.max())))
        self.left, self.right = _LEFT, _WIDTH - _RIGHT
        self.top, self.bottom = top + _TOP, top + _HEIGHT - _BOTTOM

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point."""
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)


def _draw_panel(image: Image.Image, panel: Panel, top: int, colours: dict[str, str]) -> None:
    axes = _Axes(panel, top)
    font = ImageFont.load_default(size=_FONT_SIZE)
    for one in panel.series:
        shade = Image.new("L", image.size)
        edge = [*zip(one.x, one.high, strict=True), *zip(one.x[::-1], one.low[::-1], strict=True)]
        ImageDraw.Draw(shade).polygon([axes.at(x, y) for x, y in edge], fill=_BAND)
        image.paste(colours[one.name], mask=shade)
    draw = ImageDraw.Draw(image)
    for one in panel.series:
        middle = zip(one.x, one.middle, strict=True)
        draw.line([axes.at(x, y) for x, y in middle], fill=colours[one.name], width=2, joint="curve")
    draw.line([(axes.left, axes.top), (axes.left, axes.bottom), (axes.right, axes.bottom)], fill="black")
    for tick in axes.x_ticks:
        x, y = axes.at(tick, axes.y_ticks[0])
        draw.text((x, axes.bottom + 6), f"{tick:g}", fill="black", font=font, anchor="ma")
    for tick in axes.y_ticks:
        x, y = axes.at(axes.x_ticks[0], tick)
        draw.line([(axes.left - 4, y), (axes.left, y)], fill="black")
        draw.text((axes.left - 8, y), f"{tick:g}", fill="black", font=font, anchor="rm")
    draw.text((_LEFT, top + 8), f"{panel.title}: {panel.y_label}", fill="black", font=font)
    draw.text((axes.right, axes.bottom + 24), panel.x_label, fill="black", font=font, anchor="ra")
    start = _legend_top(panel, axes)
    for place, one in enumerate(panel.series):
        draw.text((axes.right - 8, start + _LINE * place), one.name, fill=colours[one.name], font=font, anchor="ra")


def _legend_top(panel: Panel, axes: _Axes) -> float:
    """Where the legend begins: at the end of the axes that the lines end away from."""
    last = float(np.mean([axes.at(one.x[-1], one.middle[-1])[1] for one in panel.series]))
    is_low = last > (axes.top + axes.bottom) / 2
    return axes.top if is_low else axes.bottom - _LINE * len(panel.series)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers that cover a range.

    >>> ticks(0.52, 0.98)
    [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    """
    if not high > low:
        low, high = low - 0.5, low + 0.5
    rough = (high - low) / (_TICKS - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * place, 12) for place in range(first, last + 1)]
