"""A comparison as rows and as a Markdown table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from nas.analysis.intervals import mean_interval
from nas.records import TrialRecord
from nas.units import format_count


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One architecture of a comparison.

    Attributes:
        label: what the table calls it.
        id: of the architecture.
        params, flops: of the deployed form.
        published: what its paper says.
        accuracy: mean validation accuracy over the seeds, in [0, 1]; None when every training failed.
        half_width: half of the 95% interval of that mean (Student, over seeds); None for fewer than two seeds.
        seeds: trainings that succeeded.
        failed: trainings that did not.
    """

    label: str
    id: str
    params: int
    flops: int
    published: str
    accuracy: float | None
    half_width: float | None
    seeds: int
    failed: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def comparison_rows(entries: Sequence[tuple[str, str]], trials: Sequence[TrialRecord]) -> list[ComparisonRow]:
    """One row an entry, in their order.

    Args:
        entries: label and published words of each.
        trials: of the study.
    """
    return [
        _row(label, published, [trial for trial in trials if trial.choices["entry"] == index])
        for index, (label, published) in enumerate(entries)
    ]


def markdown(rows: Sequence[ComparisonRow], about: str, conditions: str) -> str:
    """The table as a file that can be committed."""
    lines = [
        about,
        "",
        conditions,
        "",
        "| architecture | FLOPs | params | published top-1 | ours, mean ± 95% | seeds |",
    ]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for row in rows:
        cells = (row.label, format_count(row.flops), format_count(row.params), row.published or "-", ours(row))
        lines.append(f"| {' | '.join(cells)} | {row.seeds} |")
    return "\n".join(lines) + "\n"


def ours(row: ComparisonRow) -> str:
    """Mean and interval in percent."""
    if row.accuracy is None:
        return "failed" if row.failed else "-"
    half = "" if row.half_width is None else f" ± {100 * row.half_width:.1f}"
    return f"{100 * row.accuracy:.1f}{half}"


def _row(label: str, published: str, trials: Sequence[TrialRecord]) -> ComparisonRow:
    accuracies = [
        trial.evaluation.accuracy
        for trial in trials
        if trial.evaluation is not None and trial.evaluation.accuracy is not None
    ]
    ended = [trial for trial in trials if trial.evaluation is not None]
    half = math.inf
    if accuracies:
        interval = mean_interval(accuracies)
        half = (interval.high - interval.low) / 2
    return ComparisonRow(
        label=label,
        id=trials[0].architecture,
        params=trials[0].cost["params"],
        flops=trials[0].cost["flops"],
        published=published,
        accuracy=fmean(accuracies) if accuracies else None,
        half_width=half if math.isfinite(half) else None,
        seeds=len(accuracies),
        failed=len(ended) - len(accuracies),
    )
