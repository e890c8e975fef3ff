"""What is drawn into a pipe."""

from __future__ import annotations

import pytest

from nas.cli import output
from nas.cli.output import draw, working
from nas.cli.tables import table


def test_tables_in_a_pipe_are_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("wide", *[f"column {place}" for place in range(30)])
    made.add_row(*[f"the words of cell {place}" for place in range(30)])
    draw(made)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert all(f"the words of cell {place}" in shown for place in range(30))


@pytest.mark.parametrize(("seconds", "said"), [(0.0, "one of two\ntwo of two\n"), (3600.0, "")])
def test_long_work_says_where_it_is_in_a_pipe_but_seldom(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, seconds: float, said: str
) -> None:
    monkeypatch.setattr(output, "LINE_SECONDS", seconds)
    with working("beginning") as say:
        say("one of two")
        say("two of two")
    assert capsys.readouterr().err == said
