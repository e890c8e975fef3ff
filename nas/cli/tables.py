"""Tables and plots in the terminal, from views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from nas.analysis.front import FrontRow
from nas.ledger import StudySummary
from nas.records import TrialState
from nas.report.comparison import ComparisonRow, ours
from nas.report.front_plot import axis_label, axis_value
from nas.units import format_count, format_seconds

if TYPE_CHECKING:  # it brings torch along, which `nas pareto` has no use for
    from nas.report.cost import PartRow
    from nas.report.refine import RefinedRow
    from nas.report.trust import TrustReport


def table(title: str, *columns: str, caption: str | None = None) -> Table:
    """An empty table; a column that begins with '>' is aligned to the right."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption=caption,
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left", no_wrap=True)
    return made


def front_table(rows: Sequence[FrontRow], title: str, *, show_share: bool) -> Table:
    """The Pareto front; the most accurate one is bold."""
    share = [">of\nbudget"] if show_share else []
    profiles = sorted({profile for row in rows for profile in row.latency})
    times = [f">ms, {profile}" for profile in profiles]
    rung = [">rung"] if any(row.rung for row in rows) else []
    made = table(title, "id", ">val.\ntop-1", ">FLOPs", ">params", *times, *share, *rung, ">training")
    best = max(rows, key=lambda row: row.accuracy, default=None)
    for row in rows:
        used = [f"{row.share:.0%}"] if show_share and row.share is not None else []
        made.add_row(
            row.id,
            f"{row.accuracy:.1%}",
            format_count(row.flops),
            format_count(row.params),
            *(f"{row.latency[profile]:.3g}" if profile in row.latency else "-" for profile in profiles),
            *used,
            *([str(row.rung)] if rung else []),
            format_seconds(row.seconds),
            style="bold" if row is best else "",
        )
    return made


_WORDS = {
    TrialState.DONE: "trained",
    TrialState.STOPPED: "stopped early",
    TrialState.REUSED: "reused",
    TrialState.FAILED: "failed",
    TrialState.REJECTED: "over budget",
    TrialState.QUEUED: "unfinished",
}


def studies_table(studies: Sequence[StudySummary]) -> Table:
    """Every study of a ledger: what it has come to, and what it is about; no word is cut at any width."""
    made = table("Studies", "name", ">best", "state", "trials", "about")
    for column in (made.columns[0], made.columns[3], made.columns[4]):
        column.no_wrap, column.overflow = False, "fold"
    for study in studies:
        counts = (f"{study.counts[state]:,} {word}" for state, word in _WORDS.items() if study.counts.get(state))
        made.add_row(
            study.name,
            "-" if study.best_accuracy is None else f"{study.best_accuracy:.1%}",
            study.state,
            ", ".join(counts) or "none yet",
            _about(study),
        )
    return made


def _about(study: StudySummary) -> str:
    """What a study is about: kind, space, budget and data, as far as it has them."""
    within = f" within {' and '.join(study.budget)}" if study.budget else ""
    data = f" on {study.data}" if study.data else ""
    return f"{study.kind} {study.space}{within}{data}, {study.created[:10]}".replace("  ", " ")


def comparison_table(rows: Sequence[ComparisonRow], title: str) -> Table:
    """Architectures under one recipe, with confidence intervals over seeds."""
    made = table(title, "architecture", ">FLOPs", ">params", ">published", ">ours (%)", ">seeds", ">failed")
    for row in rows:
        costs = (format_count(row.flops), format_count(row.params))
        made.add_row(row.label, *costs, row.published or "-", ours(row), str(row.seeds), str(row.failed or ""))
    return made


def trust_table(report: TrustReport) -> Table:
    """Rankings beside the reference; what is to be used is bold."""
    from nas.analysis.trust import Verdict
    from nas.report.trust_text import HEADS, cells, random_cells

    made = table(f"{report.plan.name}: rankings against the reference", *HEADS)
    for row in report.rows:
        is_useful = row.judgement is not None and row.judgement.verdict is Verdict.USE
        made.add_row(*cells(row), style="bold" if is_useful else "")
    made.add_row(*random_cells(report.trust))
    return made


_WIDTH, _HEIGHT = 64, 14
_EDGE = 9  # columns of the plot's left edge


def scatter(rows: Sequence[FrontRow], best: Sequence[FrontRow], x_metric: str, y_metric: str, *, columns: int) -> Text:
    """One metric over another: every candidate a dot, the front as stars; in so many columns of a terminal."""
    wide = max(20, min(_WIDTH, columns - _EDGE - 1))
    xs, ys = [row.cost(x_metric) for row in rows], [row.cost(y_metric) for row in rows]
    low, high, bottom, top = min(xs), max(xs), min(ys), max(ys)
    grid = [[" "] * wide for _ in range(_HEIGHT)]
    starred = {row.id for row in best}
    for row in sorted(rows, key=lambda one: one.id in starred):  # stars last, so that no dot hides one
        across = round((row.cost(x_metric) - low) / (high - low or 1) * (wide - 1))
        up = round((row.cost(y_metric) - bottom) / (top - bottom or 1) * (_HEIGHT - 1))
        grid[_HEIGHT - 1 - up][across] = "*" if row.id in starred else "."
    text = Text(f"{axis_label(y_metric)}\n", style="")
    for index, line in enumerate(grid):
        edge = {0: top, _HEIGHT - 1: bottom}.get(index)
        text.append(f"{'' if edge is None else axis_value(y_metric, edge):>7} |")
        for mark in line:
            text.append(mark, style="bold green" if mark == "*" else "dim" if mark == "." else "")
        text.append("\n")
    left, right = axis_value(x_metric, low), axis_value(x_metric, high)
    text.append(" " * 8 + "+" + "-" * wide + "\n")
    text.append(" " * 9 + left + " " * (wide - len(left) - len(right)) + right + "\n")
    text.append(" " * 9 + axis_label(x_metric).center(wide) + "\n")
    text.append(" " * 9 + "* front   . other candidates", style="dim")
    return text


def drawing(rows: Sequence[PartRow], title: str) -> Table:
    """An architecture from the image to the logits, with the share of the FLOPs as bars."""
    made = table(title, "part", ">width", ">map", ">params", ">FLOPs", "share of FLOPs")
    total = sum(row.flops for row in rows) or 1
    for row in rows:
        share = row.flops / total
        made.add_row(
            "  " * row.indent + row.name,
            str(row.width),
            f"{row.size}x{row.size}",
            format_count(row.params),
            format_count(row.flops),
            f"{'█' * round(share * 20)} {share:.0%}" if row.flops else "",
        )
    return made


def refine_table(rows: Sequence[RefinedRow], title: str) -> Table:
    """Recipes unchanged and best found, by architecture; what was stopped or failed is counted beside."""
    made = table(
        title, "id", ">FLOPs", ">unchanged", ">best found", ">gain", ">to the end", ">stopped", ">failed", "changes"
    )
    made.columns[-1].no_wrap = False
    for row in rows:
        made.add_row(
            row.id,
            format_count(row.flops),
            _percent(row.unchanged),
            _percent(row.best),
            "" if row.gain is None else f"{row.gain:+.1%}",
            str(row.finished),
            str(sum(row.stopped.values())),
            str(row.failed),
            "none" if not row.changes else ", ".join(_change(name, *values) for name, values in row.changes.items()),
        )
    return made


def _percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.1%}"


def _change(name: str, before: object, now: object) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        return ", ".join(_change(f"{name}.{key}", before[key], now[key]) for key in now if before[key] != now[key])
    return f"{name} {'null' if before is None else before} > {now}"
