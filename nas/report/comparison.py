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
        test_accuracy, test_half_width: the same on the test images; None where the comparison did not ask for it.
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
    test_accuracy: float | None
    test_half_width: float | None
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
    is_tested = any(row.test_accuracy is not None for row in rows)
    heads = ["architecture", "FLOPs", "params", "published top-1", "ours, mean ± 95%"]
    heads += ["test, mean ± 95%", "seeds"] if is_tested else ["seeds"]
    lines = [about, "", conditions, "", f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for row in rows:
        cells = [row.label, format_count(row.flops), format_count(row.params), row.published or "-", ours(row)]
        cells += [tested(row), str(row.seeds)] if is_tested else [str(row.seeds)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def ours(row: ComparisonRow) -> str:
    """Mean and interval in percent."""
    if row.accuracy is None:
        return "failed" if row.failed else "-"
    return _percent(row.accuracy, row.half_width)


def tested(row: ComparisonRow) -> str:
    """The same of the test images."""
    return "-" if row.test_accuracy is None else _percent(row.test_accuracy, row.test_half_width)


def _percent(mean: float, half_width: float | None) -> str:
    half = "" if half_width is None else f" ± {100 * half_width:.1f}"
    return f"{100 * mean:.1f}{half}"


def _row(label: str, published: str, trials: Sequence[TrialRecord]) -> ComparisonRow:
    ended = [trial.evaluation for trial in trials if trial.evaluation is not None]
    accuracies = [one.accuracy for one in ended if one.accuracy is not None]
    accuracy, half_width = _mean(accuracies)
    test_accuracy, test_half_width = _mean([one.test_accuracy for one in ended if one.test_accuracy is not None])
    return ComparisonRow(
        label=label,
        id=trials[0].architecture_id,
        params=trials[0].cost["params"],
        flops=trials[0].cost["flops"],
        published=published,
        accuracy=accuracy,
        half_width=half_width,
        test_accuracy=test_accuracy,
        test_half_width=test_half_width,
        seeds=len(accuracies),
        failed=len(ended) - len(accuracies),
    )


def _mean(accuracies: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean and half of its interval over the seeds."""
    if not accuracies:
        return None, None
    interval = mean_interval(accuracies)
    half = (interval.high - interval.low) / 2
    return fmean(accuracies), half if math.isfinite(half) else None
