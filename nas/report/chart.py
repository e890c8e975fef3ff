"""Lines with bands, as a page that needs no network (.html) or as an image (.png, .svg) by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.data.atomic import new_file
from nas.report.images import IMAGES, PAGE, new_figure, require_form, write_figure

Values = NDArray[np.float64]

_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#9498a0", "#a463f2", "#9c6b4e")
_HEIGHT = 420  # pixels of a panel in a page
_INCHES = (6.4, 3.6)  # of a panel in an image
_BAND = 0.16  # opacity


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


def require_chart_form(path: Path) -> None:
    """Raise UserError for a file that curves cannot be drawn into."""
    require_form(path, "curves", (PAGE, *IMAGES))


def write_chart(panels: Sequence[Panel], path: Path, *, title: str) -> None:
    """Write the panels, one below the other, in the form that the suffix of the file names.

    Raises:
        UserError: a form that cannot be drawn here.
    """
    require_chart_form(path)
    if path.suffix == PAGE:
        with new_file(path) as temporary:
            temporary.write_text(_page(panels, title), encoding="utf-8")
    else:
        _write_image(panels, path)


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
                opacity=_BAND,
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


def _write_image(panels: Sequence[Panel], path: Path) -> None:
    width, height = _INCHES
    figure = new_figure(width, height * len(panels))
    colours = _colours(panels)
    for axes, panel in zip(figure.subplots(len(panels), 1, squeeze=False).flat, panels, strict=True):
        for one in panel.series:
            colour = colours[one.name]
            axes.fill_between(one.x, one.low, one.high, color=colour, alpha=_BAND, linewidth=0)
            axes.plot(one.x, one.middle, color=colour, label=one.name)
        axes.set_title(panel.title, loc="left", parse_math=False)
        axes.set_xlabel(panel.x_label, parse_math=False)
        axes.set_ylabel(panel.y_label, parse_math=False)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    write_figure(figure, path)


def _colours(panels: Sequence[Panel]) -> dict[str, str]:
    """The same colour for a name in every panel."""
    names = dict.fromkeys(one.name for panel in panels for one in panel.series)
    return {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}
