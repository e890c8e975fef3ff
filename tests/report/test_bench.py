from __future__ import annotations

import numpy as np

from nas.report.bench import Conditions, markdown, panels
from nas.search.bench.summary import Line, Point
from nas.search.bench.table import Table
from nas.space import Choice

TABLE = Table(
    name="t", about="Two networks", dimensions={"k": Choice((1, 2))}, codes=np.array([[0], [1]], np.int16),
    seen=np.full((2, 1), 0.5), true=np.full(2, 0.5), costs={"ms": np.ones(2)}, fingerprint="0",
)  # fmt: skip


def line(sampler: str, quantile: float | None, median: float, random: float | None) -> Line:
    point = Point(trainings=50, median=median, low=median - 0.01, high=median + 0.01, random=random, more_than=8.0)
    curve = np.array([[1.0, 0.1, 0.0, 0.2], [2.0, 0.2, 0.1, 0.3]])
    return Line(
        table="t", quantile=quantile, sampler=sampler, seeds=3, points=(point,), curve=curve, proposal_ms=1.25,
        rejected=0.0,
    )  # fmt: skip


LINES = [
    line("random", None, 0.7, 1.0), line("ours", None, 0.9, None), line("tpe", None, 0.8, 2.5),
    line("random", 0.3, 0.05, 1.0), line("ours", 0.3, 0.02, 6.0),
]  # fmt: skip


def test_report_ranks_samplers_and_says_how_much_better_than_chance_they_are() -> None:
    text = markdown(LINES, [TABLE], Conditions(trials=50, seeds=3, workers=8, control=0.1))
    assert "50 trainings 8 side by side, 3 seeds, unless the line says otherwise; 10% of the trials" in text
    assert "Two networks: 2 networks." in text
    rows = [row for row in text.splitlines() if row.startswith("| ")]
    assert rows == [
        "| sampler | 50 | ms a proposal |",
        "| ours | 0.900 (0.890-0.910) >8.0x | 1.2 |",
        "| tpe | 0.800 (0.790-0.810) 2.5x | 1.2 |",
        "| random | 0.700 (0.690-0.710) | 1.2 |",
        "| sampler | 50 | ms a proposal |",
        "| ours | 2.00 (1.00-3.00) 6.0x | 1.2 |",
        "| random | 5.00 (4.00-6.00) | 1.2 |",
    ]
    assert "### Accuracy within the 30% quantile of ms" in text


def test_every_kind_of_search_is_a_panel() -> None:
    front, single = panels(LINES, [TABLE])
    assert [one.name for one in front.series] == ["random", "ours", "tpe"]
    assert (single.title, single.y_label) == ("t, accuracy within the 30% quantile of ms", "regret")
    assert single.series[0].high.tolist() == [0.2, 0.3]
