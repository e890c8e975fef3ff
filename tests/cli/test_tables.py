"""Tables at the width of a terminal: nothing is cut at 60 columns."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nas.cli.tables import studies_table
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
