"""The candidates of studies as points: as a page that needs no network (.html) or as an image (.png, .svg)."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nas.analysis.front import FrontRow, require_metric
from nas.data.atomic import new_file
from nas.records import Plain
from nas.report.fronts import StudyFront
from nas.report.images import IMAGES, PAGE, new_figure, require_form, write_figure
from nas.report.words import metric_label, metric_words
from nas.units import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OTHERS, _LIMIT, _PRESET = "#9498a0", "#d9480f", "#101418"
_FRONTS = ("#4269d0", "#efb118", "#3ca951", "#a463f2", "#ff725c", "#6cc5b0", "#9c6b4e")
_FLOOR, _LETTER, _ABREAST = 0.03, 0.013, 0.022
"""Names of presets along the axis of an image, in parts of its axes: their foot, a letter, the least distance."""
_NEAR = 2.0
"""Presets that cost more than so many times the dearest candidate, or less than its inverse, are not drawn."""

_SCRIPT = """
const plot = document.getElementById("{plot_id}");
const panel = document.createElement("div");
panel.style.cssText = "position:fixed;bottom:80px;width:min(320px,45vw);pointer-events:none;background:#fffe";
document.body.append(panel);
const drawings = DRAWINGS;
plot.on("plotly_hover", ({ points: [point] }) => {
  const isRight = point.xaxis.l2p(point.xaxis.d2l(point.x)) > point.xaxis._length / 2;
  [panel.style.left, panel.style.right] = isRight ? ["90px", "auto"] : ["auto", "24px"];
  panel.innerHTML = drawings[point.customdata] ?? "";
});
"""
"""Beside the label of plotly, which holds text alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetPoint:
    """A published network.

    Attributes:
        name: of the preset.
        cost: by metric, for the task of the studies.
        accuracy: by their recipe, in [0, 1]; None where it was not trained so.
    """

    name: str
    cost: Mapping[str, float]
    accuracy: float | None

    def value(self, metric: str) -> float | None:
        """What it has of a metric; None for what is not known of it, such as a latency."""
        return self.accuracy if metric == "accuracy" else self.cost.get(metric)


class Series(NamedTuple):
    """Candidates that are drawn alike, from left to right.

    Attributes:
        name: in the legend.
        colour: of the points.
        is_front: whether they are a front.
        is_line: whether a line through them says something: a front is one over the costs that it was searched for.
        rows: the candidates.
    """

    name: str
    colour: str
    is_front: bool
    is_line: bool
    rows: list[FrontRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPlot:
    """What is drawn.

    Attributes:
        title: above the axes.
        x_metric, y_metric: metrics of a row.
        fronts: of one study or several, each with a candidate at least.
        presets: published networks to lay over them.
        drawings: SVG text by id, for a page to show at the pointer.
    """

    title: str
    x_metric: str
    y_metric: str
    fronts: Sequence[StudyFront]
    presets: Sequence[PresetPoint] = ()
    drawings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise UserError for a metric that not every candidate has."""
        for metric in (self.x_metric, self.y_metric):
            require_metric(metric, self.rows)

    @property
    def rows(self) -> list[FrontRow]:
        """Every candidate that is drawn."""
        return [row for one in self.fronts for row in one.comparable]

    @property
    def series(self) -> list[Series]:
        """The candidates on no front, if there are any, then each front."""
        ordered = sorted(self.rows, key=lambda row: row.cost(self.x_metric))
        starred = {id(row) for one in self.fronts for row in one.best}
        others = [row for row in ordered if id(row) not in starred]
        names = [one.name if len(self.fronts) > 1 else "front" for one in self.fronts]
        drawn = [Series("other candidates", _OTHERS, is_front=False, is_line=False, rows=others)] if others else []
        for name, colour, one in zip(names, _colours(len(names)), self.fronts, strict=True):
            best = sorted(one.best, key=lambda row: row.cost(self.x_metric))
            drawn.append(Series(name, colour, is_front=True, is_line=self._is_line(one), rows=best))
        return drawn

    def _is_line(self, one: StudyFront) -> bool:
        return self.y_metric == "accuracy" and one.costs == (self.x_metric,)

    def limits(self, metric: str) -> list[float]:
        """The ends of the studies' budgets on a metric."""
        bounds = [bound for one in self.fronts for bound in one.budget.bounds if bound.metric == metric]
        return sorted({end for bound in bounds for end in (bound.low, bound.high) if end})

    @property
    def near(self) -> list[PresetPoint]:
        """The presets that are not far to the left or right of the candidates."""
        xs = [row.cost(self.x_metric) for row in self.rows]
        low, high = min(xs) / _NEAR, max([*xs, *self.limits(self.x_metric)]) * _NEAR
        return [one for one in self.presets if (x := one.value(self.x_metric)) is not None and low <= x <= high]

    @property
    def placed(self) -> list[PresetPoint]:
        """Those of them that have a place in the plot."""
        return [one for one in self.near if one.value(self.y_metric) is not None]

    @property
    def unplaced(self) -> list[PresetPoint]:
        """Those of which only the place along the axis is known, and which is on it."""
        xs = [*(row.cost(self.x_metric) for row in self.rows), *self.limits(self.x_metric)]
        xs += [one.value(self.x_metric) or 0.0 for one in self.placed]
        unknown = [one for one in self.near if one.value(self.y_metric) is None]
        return [one for one in unknown if min(xs) <= (one.value(self.x_metric) or 0.0) <= max(xs)]


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


def _colours(count: int) -> list[str]:
    return [_FRONTS[place % len(_FRONTS)] for place in range(count)]


def _page(plot: FrontPlot) -> str:
    from plotly.graph_objects import Figure, Scatter  # 0.5 s

    figure = Figure()
    for one in plot.series:
        figure.add_trace(
            Scatter(
                x=[row.cost(plot.x_metric) for row in one.rows],
                y=[row.cost(plot.y_metric) for row in one.rows],
                mode="lines+markers" if one.is_line else "markers",
                name=html.escape(one.name),
                marker={"color": one.colour, "size": 9 if one.is_front else 6},
                text=[_hover(row) for row in one.rows],
                customdata=[row.id for row in one.rows],
                hoverinfo="text",
            )
        )
    floor = min(row.cost(plot.y_metric) for row in plot.rows)
    for name, symbol, some in (
        ("presets", "diamond", plot.placed),
        ("presets, by cost alone", "triangle-up-open", plot.unplaced),
    ):
        if some:
            figure.add_trace(
                Scatter(
                    x=[one.value(plot.x_metric) for one in some],
                    y=[floor if (y := one.value(plot.y_metric)) is None else y for one in some],
                    mode="markers",
                    name=name,
                    marker={"color": _PRESET, "size": 9, "symbol": symbol},
                    text=[_preset_words(plot, one) for one in some],
                    hoverinfo="text",
                )
            )
    # The template's lines are of no width.
    line = {"line_dash": "dash", "line_color": _LIMIT, "line_width": 1.5, "opacity": 1, "annotation_text": "budget"}
    for limit in plot.limits(plot.x_metric):
        figure.add_vline(limit, **line)
    for limit in plot.limits(plot.y_metric):
        figure.add_hline(limit, **line)
    figure.update_xaxes(title_text=html.escape(metric_label(plot.x_metric)), exponentformat="SI")
    figure.update_yaxes(
        title_text=html.escape(metric_label(plot.y_metric)),
        tickformat=".1%" if plot.y_metric == "accuracy" else None,
        exponentformat="SI",  # 1G, as everywhere else, and not 1B
    )
    figure.update_layout(title=html.escape(plot.title), template="simple_white", hoverlabel_align="left")
    return str(figure.to_html(include_plotlyjs=True, full_html=True, post_script=_at_the_pointer(plot.drawings)))


def _at_the_pointer(drawings: Mapping[str, str]) -> str:
    """A script that shows the drawing of a candidate at the other side of the plot than the pointer."""
    texts = json.dumps(drawings).replace("<", "\\u003c")  # no tag ends the script
    return _SCRIPT.replace("DRAWINGS", texts)


def _hover(row: FrontRow) -> str:
    """What a candidate is; plotly reads tags, so whatever comes from a file is escaped."""
    lines = [
        f"<b>{html.escape(row.id)}</b>",
        f"{row.accuracy:.1%}, {format_count(row.flops)} FLOPs, {format_count(row.params)} parameters",
        *(f"{html.escape(profile)}: {ms:.3g} ms" for profile, ms in row.latency.items()),
        *(f"{html.escape(name)}: {html.escape(_as_in_yaml(value))}" for name, value in row.decisions.items()),
    ]
    return "<br>".join(lines)


def _as_in_yaml(value: Plain) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _preset_words(plot: FrontPlot, one: PresetPoint) -> str:
    known = {metric: one.value(metric) for metric in dict.fromkeys(("accuracy", "flops", "params", plot.x_metric))}
    said = [
        f"{metric_words(metric, value)} {metric_label(metric)}" for metric, value in known.items() if value is not None
    ]
    return "<br>".join([f"<b>{html.escape(one.name)}</b>", *map(html.escape, said)])


def _write_image(plot: FrontPlot, path: Path) -> None:
    figure = new_figure(7, 4.5)
    axes = figure.subplots()
    for one in plot.series:
        xs, ys = [row.cost(plot.x_metric) for row in one.rows], [row.cost(plot.y_metric) for row in one.rows]
        line = "-" if one.is_line else ""
        axes.plot(xs, ys, marker="o", markersize=5, linestyle=line, color=one.colour, label=one.name)
    _put_presets(plot, axes)
    for place, limit in enumerate(plot.limits(plot.x_metric)):
        axes.axvline(limit, linestyle="--", linewidth=1, color=_LIMIT, label="" if place else "budget")
    for limit in plot.limits(plot.y_metric):
        axes.axhline(limit, linestyle="--", linewidth=1, color=_LIMIT)
    axes.set_title(plot.title, loc="left", parse_math=False)
    axes.set_xlabel(metric_label(plot.x_metric), parse_math=False)
    axes.set_ylabel(metric_label(plot.y_metric), parse_math=False)
    axes.xaxis.set_major_formatter(lambda value, _: metric_words(plot.x_metric, value))
    axes.yaxis.set_major_formatter(lambda value, _: metric_words(plot.y_metric, value))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    write_figure(figure, path)


def _put_presets(plot: FrontPlot, axes: Axes) -> None:
    """Diamonds with their names; those of which only the cost is known stand on the axis."""
    for place, one in enumerate(plot.placed):
        x, y = one.value(plot.x_metric) or 0.0, one.value(plot.y_metric) or 0.0
        axes.plot([x], [y], "D", markersize=5, color=_PRESET, label="" if place else "presets")
        axes.annotate(one.name, (x, y), (4, 4), textcoords="offset points", fontsize=7, parse_math=False)
    at_floor = axes.get_xaxis_transform()  # across in the metric, upwards in parts of the axes
    low, high = axes.get_xlim()
    last, top = -math.inf, _FLOOR
    for place, one in enumerate(sorted(plot.unplaced, key=lambda one: one.value(plot.x_metric) or 0.0)):
        x = one.value(plot.x_metric) or 0.0
        label = "" if place else "presets, by cost alone"
        axes.plot([x], [0.0], "^", color=_PRESET, transform=at_floor, clip_on=False, fillstyle="none", label=label)
        bottom = top if x - last < _ABREAST * (high - low) else _FLOOR  # above the name that it would cover
        axes.text(x, bottom, one.name, transform=at_floor, rotation=90, fontsize=6, ha="center", parse_math=False)
        last, top = x, bottom + _LETTER * (len(one.name) + 1)
