from __future__ import annotations

import pytest

from nas.api.rows import Row, Rows
from nas.cost import Cost


def row(number: int, **changes: object) -> Row:
    fields: dict[str, object] = {
        "id": f"{number:012x}", "number": number, "state": "done", "accuracy": 0.5, "cost": Cost(params=7, flops=12000),
        "rung": 0, "seconds": 1.0, "decisions": {"width": 8}, "study": "mine", "storage": "sqlite:///nas.db",
    }  # fmt: skip
    return Row(**{**fields, **changes})  # type: ignore[arg-type]


def test_rows_are_a_table_wherever_they_are_shown() -> None:
    failed = row(1, state="failed", accuracy=None, failure="diverged")
    rows = Rows([row(0), failed])
    assert repr(rows).splitlines()[0].split() == ["id", "accuracy", "FLOPs", "params", "rung", "seconds", "state"]
    assert "50.0%" in repr(rows)
    assert "diverged" in rows._repr_html_()
    assert rows[1:][0] is failed
    assert "... and 5 more" in repr(Rows([row(number) for number in range(25)]))


def test_rows_become_a_frame_with_a_column_a_decision() -> None:
    pytest.importorskip("pandas")
    frame = Rows([row(0), row(1)]).to_pandas()
    assert list(frame["decisions.width"]) == [8, 8]
    assert list(frame["flops"]) == [12_000, 12_000]
