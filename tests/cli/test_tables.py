"""Tables and plots at the width of a terminal: nothing is cut at 60 columns."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nas.analysis.front import FrontRow
from nas.cli.tables import front_table, scatter, studies_table
from nas.ledger import StudySummary
from nas.records import StudyKind, TrialState


def drawn(thing: object, columns: int) -> str:
    out = io.StringIO()
    Console(file=out, width=columns).print(thing)
    return out.getvalue()


STUDY = StudySummary(
    name="a-name-of-forty-characters-that-is-all-mine",
    kind=StudyKind.SEARCH,
    created="2026-01-02T03:04:05+00:00",
    counts={TrialState.DONE: 12, TrialState.STOPPED: 1204, TrialState.FAILED: 0},
    best_accuracy=0.9,
    latest_activity="2026-01-02T03:04:05+00:00",
    space="tiny",
    budget=("4.2..4.5GFLOPs", "30Mparams"),
    data="folder:/data/images/of/cats?validation=0.1",
    state="interrupted",
)


@pytest.mark.parametrize("columns", [60, 80])
def test_a_list_of_studies_is_whole(columns: int) -> None:
    lines = drawn(studies_table([STUDY]), columns).splitlines()
    assert max(map(len, lines)) <= columns
    shown = "".join("".join(line.split()) for line in lines)
    whole = drawn(studies_table([STUDY]), 400)
    for words in (STUDY.name, "90.0%", "interrupted", "12 trained, 1,204 stopped early", STUDY.data, "4.2..4.5GFLOPs"):
        assert words in whole
    assert "…" not in shown
    assert {"90.0%", "interrupted"} <= {word for line in lines for word in line.split()}
    assert "failed" not in whole


def front(count: int) -> list[FrontRow]:
    return [
        FrontRow(
            id=f"{index:012x}", accuracy=0.5 + index / 100, flops=10**7 * (index + 1), params=10**6, activations=1,
            train_flops=1, train_params=1, share=0.5, rung=0, seeds=1, seconds=65.0, weights=None, latency={},
            decisions={},
        )
        for index in range(count)
    ]  # fmt: skip


def test_a_front_and_its_plot_fit_into_60_columns() -> None:
    rows = front(5)
    table = drawn(front_table(rows, "mine: Pareto front within 30MFLOPs", show_share=True), 60)
    plot = scatter(rows, rows, "flops", "accuracy", columns=60).plain
    for text in (table, plot):
        assert max(map(len, text.splitlines())) <= 60
        assert "…" not in text
    assert all(row.id in table for row in rows)
    assert "1 min 05 s" in table
    assert "rung" not in table
    assert plot.count("*") == 6  # and one in the legend
