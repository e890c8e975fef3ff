"""A comparison as an image: a row an architecture, its accuracy with the interval over the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nas.errors import UserError
from nas.report.comparison import ComparisonRow
from nas.report.images import new_figure, write_figure


def draw_comparison(rows: Sequence[ComparisonRow], path: Path, *, title: str) -> None:
    """Write the rows, best at the top, by test accuracy where all that were trained have one; failed ones are left out.

    Args:
        rows: of the comparison.
        path: the image, .png or .svg.
        title: above it.

    Raises:
        UserError: nothing was trained, or the file cannot be written.
    """
    trained = [row for row in rows if row.accuracy is not None]
    if not trained:
        raise UserError(f"{path}: no architecture has an accuracy to draw")
    is_tested = all(row.test_accuracy is not None for row in trained)
    shown = sorted(((*_shown(row, is_tested=is_tested), row.label) for row in trained), key=lambda one: one[0])
    figure = new_figure(6, 1 + 0.24 * len(shown))
    axes = figure.subplots()
    means, halves, labels = zip(*shown, strict=True)
    places = range(len(shown))
    axes.errorbar(means, places, xerr=[half or 0 for half in halves], fmt="o", markersize=4, capsize=3, color="#1f5fa8")
    axes.set_yticks(places, labels, fontsize=8)
    axes.set_xlabel(f"{'test' if is_tested else 'validation'} accuracy in percent, mean and 95% interval over seeds")
    axes.set_title(title, fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    write_figure(figure, path)


def _shown(row: ComparisonRow, *, is_tested: bool) -> tuple[float, float | None]:
    """Mean and half of its interval, in percent."""
    mean, half = (row.test_accuracy, row.test_half_width) if is_tested else (row.accuracy, row.half_width)
    return 100 * (mean or 0.0), None if half is None else 100 * half
