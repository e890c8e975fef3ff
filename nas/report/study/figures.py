"""Lines over an axis as SVG text, in the colours of the page that they stand in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from nas.report.ticks import ticks

_WIDTH, _HEIGHT = 420, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 12, 42  # margins around the axes
_MARGIN = 0.04  # of the values' range, above and below

Words = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line through points.

    Attributes:
        name: of what it shows, in words.
        style: classes of the page's style.
        xs, ys: of its points, from left to right.
        is_stepped: whether it keeps a value until the next one.
    """

    name: str
    style: str
    xs: Sequence[float]
    ys: Sequence[float]
    is_stepped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis says, how it writes a value, and what it shows at least.

    Attributes:
        label: below it.
        words: of a value.
        least: values that are on it whatever the lines are.
        is_count: whether it counts, so that only whole numbers are on it.
    """

    label: str
    words: Words
    least: tuple[float, ...] = ()
    is_count: bool = False


def line_figure(lines: Sequence[Line], x: Axis, y: Axis, *, title: str) -> str:
    """A figure of lines; nothing where they have no point."""
    xs, ys = [value for line in lines for value in line.xs], [value for line in lines for value in line.ys]
    if not xs:
        return ""
    place = _Place([*xs, *x.least], [*ys, *y.least], is_count=x.is_count)
    drawn = "".join(_line(line, place) for line in lines)
    return (
        f'<svg class="figure" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(_axes(place, x, y))}{drawn}</svg>"
    )


class _Place:
    """From values to places in the figure."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float], *, is_count: bool) -> None:
        self.x_ticks = ticks(min(xs), max(xs), least_step=float(is_count))
        self.y_ticks = ticks(min(ys), max(ys))
        self._x = _range(xs, 0.0)
        self._y = _range(ys, _MARGIN)

    def x(self, value: float) -> float:
        low, high = self._x
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self._y
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def shown_x(self) -> Iterator[float]:
        return (tick for tick in self.x_ticks if self._x[0] <= tick <= self._x[1])

    def shown_y(self) -> Iterator[float]:
        return (tick for tick in self.y_ticks if self._y[0] <= tick <= self._y[1])


def _range(values: Sequence[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * margin
    return (low - room, high + room) if high > low else (low - 0.5, high + 0.5)


def _axes(place: _Place, x: Axis, y: Axis) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in place.shown_y():
        at = place.y(tick)
        yield f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{escape(y.words(tick))}</text>'
    for tick in place.shown_x():
        at = place.x(tick)
        yield f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(x.words(tick))}</text>'
    yield f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
    middle = (_LEFT + right) / 2
    yield f'<text class="label" x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>'


def _line(line: Line, place: _Place) -> str:
    title = f"<title>{escape(line.name)}</title>"
    points = [(place.x(x), place.y(y)) for x, y in zip(line.xs, line.ys, strict=True)]
    if len(points) == 1:
        return f'<circle class="{line.style}" cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2.5">{title}</circle>'
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for x, y in points[1:]:
        path.append(f"H{x:.1f}V{y:.1f}" if line.is_stepped else f"L{x:.1f} {y:.1f}")
    return f'<path class="line {line.style}" d="{"".join(path)}">{title}</path>'
