"""The candidates of a study as points, as a page that needs no network (.html) or as an image (.png, .svg)."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nas.analysis.front import FrontRow
from nas.cost.budget import profile_of
from nas.data.atomic import new_file
from nas.report.images import IMAGES, PAGE, new_figure, require_form, write_figure
from nas.units import format_count, format_seconds

_OTHERS, _FRONT = "#9498a0", "#4269d0"
_LABELS = {
    "accuracy": "validation top-1",
    "flops": "FLOPs",
    "params": "parameters",
    "activations": "activations",
    "train_flops": "FLOPs as trained",
    "train_params": "parameters as trained",
    "seconds": "seconds of training",
}


def axis_label(metric: str) -> str:
    """A metric in words.

    >>> axis_label("latency@torch-cpu")
    'ms on torch-cpu'
    """
    profile = profile_of(metric)
    return _LABELS[metric] if profile is None else f"ms on {profile}"


def axis_value(metric: str, value: float) -> str:
    """A value of a metric, short.

    >>> axis_value("accuracy", 0.987), axis_value("flops", 4.5e9)
    ('98.7%', '4.5G')
    """
    if metric == "accuracy":
        return f"{value:.1%}"
    if metric == "seconds":
        return format_seconds(value)
    return format_count(value) if profile_of(metric) is None else f"{value:.3g} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPlot:
    """What is drawn.

    Attributes:
        title: above the axes.
        x_metric, y_metric: metrics of a row.
        rows: every candidate, all of one rung.
        best: those of them that are the front.
    """

    title: str
    x_metric: str
    y_metric: str
    rows: Sequence[FrontRow]
    best: Sequence[FrontRow]

    def groups(self) -> tuple[tuple[str, str, list[FrontRow]], ...]:
        """Name, colour and rows of the other candidates and of the front, left to right."""
        front = {row.id for row in self.best}
        ordered = sorted(self.rows, key=lambda row: row.cost(self.x_metric))
        return (
            ("other candidates", _OTHERS, [row for row in ordered if row.id not in front]),
            ("front", _FRONT, [row for row in ordered if row.id in front]),
        )


def require_front_form(path: Path) -> None:
    """Raise UserError for a file that a front cannot be drawn into."""
    require_form(path, "a front", (PAGE, *IMAGES))


def write_front(plot: FrontPlot, path: Path) -> None:
    """Write the plot in the form that the suffix of the file names.

    Raises:
        UserError: a form that cannot be drawn here, or a file that cannot be written.
    """
    require_front_form(path)
    if path.suffix == PAGE:
        with new_file(path) as temporary:
            temporary.write_text(_page(plot), encoding="utf-8")
    else:
        _write_image(plot, path)


def _page(plot: FrontPlot) -> str:
    from plotly.graph_objects import Figure, Scatter  # 0.5 s

    figure = Figure()
    for name, colour, rows in plot.groups():
        figure.add_trace(
            Scatter(
                x=[row.cost(plot.x_metric) for row in rows],
                y=[row.cost(plot.y_metric) for row in rows],
                mode="lines+markers" if name == "front" else "markers",
                name=name,
                marker={"color": colour, "size": 9 if name == "front" else 6},
                text=[_hover(row) for row in rows],
                hoverinfo="text",
            )
        )
    figure.update_xaxes(title_text=html.escape(axis_label(plot.x_metric)))
    figure.update_yaxes(
        title_text=html.escape(axis_label(plot.y_metric)), tickformat=".0%" if plot.y_metric == "accuracy" else None
    )
    figure.update_layout(title=html.escape(plot.title), template="simple_white", hoverlabel_align="left")
    return str(figure.to_html(include_plotlyjs=True, full_html=True))


def _hover(row: FrontRow) -> str:
    """What a candidate is; plotly reads tags, so whatever comes from a file is escaped."""
    lines = [
        f"<b>{html.escape(row.id)}</b>",
        f"{row.accuracy:.1%}, {format_count(row.flops)} FLOPs, {format_count(row.params)} parameters",
        *(f"{html.escape(profile)}: {ms:.3g} ms" for profile, ms in row.latency.items()),
        *(f"{html.escape(name)}: {html.escape(str(value))}" for name, value in row.decisions.items()),
    ]
    return "<br>".join(lines)


def _write_image(plot: FrontPlot, path: Path) -> None:
    figure = new_figure(7, 4.5)
    axes = figure.subplots()
    for name, colour, rows in plot.groups():
        xs, ys = [row.cost(plot.x_metric) for row in rows], [row.cost(plot.y_metric) for row in rows]
        line = "-" if name == "front" else ""
        axes.plot(xs, ys, marker="o", markersize=5, linestyle=line, color=colour, label=name)
    axes.set_title(plot.title, loc="left", parse_math=False)
    axes.set_xlabel(axis_label(plot.x_metric), parse_math=False)
    axes.set_ylabel(axis_label(plot.y_metric), parse_math=False)
    axes.xaxis.set_major_formatter(lambda value, _: axis_value(plot.x_metric, value))
    axes.yaxis.set_major_formatter(lambda value, _: axis_value(plot.y_metric, value))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    write_figure(figure, path)
