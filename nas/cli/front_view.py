"""Fronts in the terminal: the table, the plot, and what may be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from nas.analysis.front import FrontRow
from nas.cli.tables import table
from nas.report.front_plot import FrontPlot, PresetPoint
from nas.report.fronts import StudyFront, common_front, differing, letters
from nas.report.words import metric_label, metric_words
from nas.units import format_count, format_seconds

_WIDTH, _HEIGHT = 64, 14
_EDGE = 9  # columns of the plot's left edge
_NAMED = 8  # presets that are named below a plot
_STYLES = {".": "dim", "|": "red", "-": "red", "+": "bold cyan", "^": "bold cyan"}


class Shown(NamedTuple):
    """A line of the table."""

    study: str
    row: FrontRow


def front_table(fronts: Sequence[StudyFront], shown: Sequence[Shown], title: str) -> Table:
    """Candidates of one study or several; the most accurate of each is bold, and what all together keep has a star."""
    letter = letters(fronts) if len(fronts) > 1 else {}
    common = common_front(fronts)
    profiles = sorted({profile for one in shown for profile in one.row.latency})
    has_share = any(one.budget.bounds for one in fronts)
    has_rung = any(one.row.rung for one in shown)
    made = table(
        title,
        *([""] if letter else []),
        "id",
        ">val.\ntop-1",
        ">FLOPs",
        ">params",
        *(f">ms, {profile}" for profile in profiles),
        *([">of\nbudget"] if has_share else []),
        *([">rung"] if has_rung else []),
        ">training",
        caption="* on the front of all of them together" if common else None,
    )
    made.columns[-1].no_wrap = False  # rather than cut, where rungs or latencies leave no room
    best = {one.name: max(one.comparable, key=lambda row: row.accuracy).id for one in fronts if one.rows}
    for study, row in shown:
        mark = " *" if (study, row.id) in common else ""
        made.add_row(
            *([letter[study] + mark] if letter else []),
            row.id,
            f"{row.accuracy:.1%}",
            format_count(row.flops),
            format_count(row.params),
            *(f"{row.latency[profile]:.3g}" if profile in row.latency else "-" for profile in profiles),
            *(["-" if row.share is None else f"{row.share:.0%}"] if has_share else []),
            *([str(row.rung)] if has_rung else []),
            format_seconds(row.seconds),
            style="bold" if row.id == best[study] else "",
        )
    return made


def legend(fronts: Sequence[StudyFront]) -> list[str]:
    """What each letter stands for, and whether accuracies may be compared; a line each."""
    lines = []
    for one in fronts:
        size = f"{len(one.best)} of {len(one.rows)} on its front" if one.rows else "no candidate has an accuracy yet"
        lines.append(f"{letters(fronts)[one.name]}  {one.name}: within {one.budget}, {size}")
    unlike = differing(fronts)
    if unlike:
        lines.append(f"Their accuracies must not be compared: these studies differ in {' and '.join(unlike)}.")
    return lines


def scatter(plot: FrontPlot, *, columns: int) -> Text:
    """One metric over another in so many columns of a terminal: candidates, fronts, budgets and presets."""
    wide = max(20, min(_WIDTH, columns - _EDGE - 1))
    across = _Scale.over(plot, plot.x_metric, wide)
    up = _Scale.over(plot, plot.y_metric, _HEIGHT)
    grid = [[" "] * wide for _ in range(_HEIGHT)]
    _draw_limits(plot, grid, across, up)
    for mark, x, y in _marks(plot):
        line, place = grid[_HEIGHT - 1 - up.place(y)], across.place(x)
        is_taken = line[place] not in " |-." and mark not in ".+" and line[place] != mark
        line[place] = "&" if is_taken else mark
    below = _ticks(plot, across, wide)
    text = Text(f"{metric_label(plot.y_metric)}\n", style="")
    for index, line in enumerate(grid):
        edge = {0: up.high, _HEIGHT - 1: up.low}.get(index)
        text.append(f"{'' if edge is None else metric_words(plot.y_metric, edge):>7} |")
        for mark in line:
            text.append(mark, style="" if mark == " " else _STYLES.get(mark, "bold green"))
        text.append("\n")
    left, right = metric_words(plot.x_metric, across.low), metric_words(plot.x_metric, across.high)
    text.append(" " * 8 + "+" + below + "\n")
    text.append(" " * _EDGE + left + " " * (wide - len(left) - len(right)) + right + "\n")
    text.append(" " * _EDGE + metric_label(plot.x_metric).center(wide).rstrip() + "\n")
    text.append("\n".join(" " * _EDGE + line for line in _key(plot, grid, below)), style="dim")
    return text


def preset_lines(plot: FrontPlot) -> list[str]:
    """The presets beside the candidates, by name and what is known of them."""
    lines = []
    if plot.placed:
        lines.append("+ presets: " + _named(plot.placed, (plot.x_metric, plot.y_metric)))
    if plot.unplaced:
        lines.append(
            f"^ presets by {metric_label(plot.x_metric)} alone, none trained by this recipe: "
            + _named(plot.unplaced, (plot.x_metric,))
        )
    if plot.presets and not lines:
        values = [(value, one.name) for one in plot.presets if (value := one.value(plot.x_metric)) is not None]
        reach = f"; the cheapest is {min(values)[1]}, {metric_words(plot.x_metric, min(values)[0])}" if values else ""
        lines.append(f"no preset is near these candidates in {metric_label(plot.x_metric)}{reach}")
    return lines


class _Scale(NamedTuple):
    """A range of a metric on so many places."""

    low: float
    high: float
    places: int

    @classmethod
    def over(cls, plot: FrontPlot, metric: str, places: int) -> _Scale:
        """From the least to the greatest of candidates, budgets and presets."""
        values = [row.cost(metric) for row in plot.rows] + plot.limits(metric)
        values += [value for one in plot.placed if (value := one.value(metric)) is not None]
        return cls(min(values), max(values), places)

    def place(self, value: float) -> int:
        return round((value - self.low) / (self.high - self.low or 1) * (self.places - 1))


def _draw_limits(plot: FrontPlot, grid: list[list[str]], across: _Scale, up: _Scale) -> None:
    for limit in plot.limits(plot.y_metric):
        grid[_HEIGHT - 1 - up.place(limit)] = ["-"] * across.places
    for limit in plot.limits(plot.x_metric):
        for line in grid:
            line[across.place(limit)] = "|"


def _marks(plot: FrontPlot) -> list[tuple[str, float, float]]:
    """Mark and coordinates of every point, those last that nothing may hide."""
    fronts = [one for one in plot.series if one.is_front]
    others = [row for one in plot.series if not one.is_front for row in one.rows]
    marks = [(".", row.cost(plot.x_metric), row.cost(plot.y_metric)) for row in others]
    marks += [("+", one.value(plot.x_metric) or 0.0, one.value(plot.y_metric) or 0.0) for one in plot.placed]
    for sign, one in zip(_signs(plot).values(), fronts, strict=True):
        marks += [(sign, row.cost(plot.x_metric), row.cost(plot.y_metric)) for row in one.rows]
    return marks


def _signs(plot: FrontPlot) -> Mapping[str, str]:
    """How the front of each study is drawn."""
    return {plot.fronts[0].name: "*"} if len(plot.fronts) == 1 else letters(plot.fronts)


def _ticks(plot: FrontPlot, across: _Scale, wide: int) -> str:
    """The line below the plot, with the presets of which only the cost is known."""
    line = ["-"] * wide
    for one in plot.unplaced:
        line[across.place(one.value(plot.x_metric) or 0.0)] = "^"
    return "".join(line)


def _key(plot: FrontPlot, grid: Sequence[Sequence[str]], below: str) -> list[str]:
    """What the marks mean, those that are there, in lines of at most 50 characters."""
    seen = {mark for line in grid for mark in line} | set(below)
    signs = list(_signs(plot).values())
    words = [f"{', '.join(signs)} {'front' if len(signs) == 1 else 'fronts'}"]
    means = {"&": "& several", ".": ". other candidates", "|": "| budget", "+": "+ presets", "^": "^ presets by cost"}
    words += [text for mark, text in means.items() if mark in seen]
    if "|" not in seen and plot.limits(plot.y_metric):
        words.append("- budget")
    lines = [""]
    for word in words:
        joined = f"{lines[-1]}   {word}" if lines[-1] else word
        lines[-1:] = [joined] if len(joined) <= 50 else [lines[-1], word]
    return lines


def _named(some: Sequence[PresetPoint], metrics: Sequence[str]) -> str:
    said = []
    for one in some[:_NAMED]:
        values = {metric: one.value(metric) for metric in metrics}
        words = (metric_words(metric, value) for metric, value in values.items() if value is not None)
        said.append(f"{one.name} ({', '.join(words)})")
    return ", ".join(said) + (f" and {len(some) - _NAMED} more" if len(some) > _NAMED else "")
