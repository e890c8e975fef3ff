"""Tables in the terminal, from views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from nas.ledger import StudySummary
from nas.records import TrialState
from nas.report.comparison import ComparisonRow, ours, tested
from nas.units import format_count

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
    """What a study is about: kind, space, budget and data, as far as it has them; of a damaged one what is wrong."""
    if study.problem:
        return study.problem
    within = f" within {' and '.join(study.budget)}" if study.budget else ""
    data = f" on {study.data}" if study.data else ""
    return f"{study.kind} {study.space}{within}{data}, {study.created[:10]}".replace("  ", " ")


def comparison_table(rows: Sequence[ComparisonRow], title: str) -> Table:
    """Architectures under one recipe, with confidence intervals over seeds."""
    is_tested = any(row.test_accuracy is not None for row in rows)
    test = [">test (%)"] if is_tested else []
    made = table(title, "architecture", ">FLOPs", ">params", ">published", ">ours (%)", *test, ">seeds", ">failed")
    for row in rows:
        cells = [row.label, format_count(row.flops), format_count(row.params), row.published or "-", ours(row)]
        made.add_row(*cells, *([tested(row)] if is_tested else []), str(row.seeds), str(row.failed or ""))
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
