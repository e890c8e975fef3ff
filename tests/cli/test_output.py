"""What is drawn into a pipe."""

from __future__ import annotations

import pytest

from nas.cli.output import draw
from nas.cli.tables import table


def test_tables_in_a_pipe_are_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("wide", *[f"column {place}" for place in range(30)])
    made.add_row(*[f"the words of cell {place}" for place in range(30)])
    draw(made)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert all(f"the words of cell {place}" in shown for place in range(30))
