"""Candidates as points, in every form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from nas.analysis.front import FrontRow, front_rows, most_accurate, require_metric
from nas.cost import Budget
from nas.errors import UserError
from nas.report.front_plot import FrontPlot, PresetPoint, require_front_form, write_front
from nas.report.fronts import Measure, StudyFront, common_front, differing, letters
from nas.task import Task

HOSTILE = "<img src=x onerror=alert(1)>"


def row(identity: str, accuracy: float, flops: int, rung: int = 0, **latency: float) -> FrontRow:
    return FrontRow(
        id=identity,
        accuracy=accuracy,
        flops=flops,
        params=flops // 2,
        activations=flops // 4,
        train_flops=flops,
        train_params=flops // 2,
        share=None,
        rung=rung,
        seeds=1,
        seconds=3.0,
        weights=None,
        latency=latency,
        decisions={"kernel": 7, HOSTILE: HOSTILE},
    )


ROWS = [row("aaa", 0.5, 1_000), row("bbb", 0.4, 2_000), row("ccc", 0.8, 3_000)]


def front(*rows: FrontRow, name: str = "mine", budget: str = "3.5kFLOPs", measure: Measure | None = None) -> StudyFront:
    return StudyFront(
        name=name,
        budget=Budget.parse(budget),
        task=Task(),
        costs=("flops",),
        rows=rows or tuple(ROWS),
        best=tuple(front_rows(rows or ROWS)),
        measure=measure or Measure("images", "recipe", 0),
        has_recipe=True,
    )


PRESETS = [
    PresetPoint(name="known", cost={"flops": 2500.0, "params": 9.0}, accuracy=0.7),
    PresetPoint(name="unknown", cost={"flops": 1500.0, "params": 9.0}, accuracy=None),
    PresetPoint(name="far", cost={"flops": 9e9, "params": 9.0}, accuracy=None),
]


@pytest.mark.parametrize(("suffix", "start"), [(".html", b"<html>"), (".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_every_form_is_written_whole(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"front{suffix}"
    title = f"$ {HOSTILE} $"
    fronts = [front(name=HOSTILE), front(name="other", budget="3kparams")]
    plot = FrontPlot(title=title, x_metric="flops", y_metric="accuracy", fronts=fronts, presets=PRESETS)
    write_front(plot, path)
    assert start in path.read_bytes()[:32]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert HOSTILE.encode() not in path.read_bytes()
    if suffix == ".png":
        with Image.open(path) as image:
            assert image.size == (1050, 675)


def test_the_front_and_the_others_go_from_left_to_right() -> None:
    plot = FrontPlot(title="", x_metric="flops", y_metric="accuracy", fronts=[front(*ROWS[::-1])])
    assert [(name, [one.id for one in rows]) for name, _, _, _, rows in plot.series] == [
        ("other candidates", ["bbb"]),
        ("front", ["aaa", "ccc"]),
    ]
    assert [one.is_line for one in plot.series] == [False, True]
    over_params = FrontPlot(title="", x_metric="params", y_metric="accuracy", fronts=[front()])
    assert not any(one.is_line for one in over_params.series)  # a front over FLOPs would be a zigzag here
    assert plot.limits("flops") == [3500]
    assert plot.limits("params") == []
    alone = FrontPlot(title="", x_metric="flops", y_metric="accuracy", fronts=[front(ROWS[0])])
    assert [one.name for one in alone.series] == ["front"]


def test_a_page_has_drawings_and_no_tag_of_theirs_ends_its_script(tmp_path: Path) -> None:
    drawings = {"aaa": "<svg></svg></script><img src=x>"}
    plot = FrontPlot(title="", x_metric="flops", y_metric="accuracy", fronts=[front()], drawings=drawings)
    write_front(plot, tmp_path / "front.html")
    page = (tmp_path / "front.html").read_text()
    assert "const drawings = " + json.dumps(drawings).replace("<", "\\u003c") in page


def test_presets_have_a_place_where_they_were_trained_alike() -> None:
    plot = FrontPlot(title="", x_metric="flops", y_metric="accuracy", fronts=[front()], presets=PRESETS)
    assert [one.name for one in plot.placed] == ["known"]
    assert [one.name for one in plot.unplaced] == ["unknown"]
    by_cost = FrontPlot(title="", x_metric="flops", y_metric="params", fronts=[front()], presets=PRESETS)
    assert [one.name for one in by_cost.placed] == ["known", "unknown"]


def test_fronts_are_one_front_where_accuracies_may_be_compared() -> None:
    first, second = front(), front(row("ddd", 0.9, 2_500), name="yours")
    assert common_front([first, second]) == {("mine", "aaa"), ("yours", "ddd")}
    assert common_front([first]) == set()
    other = front(row("ddd", 0.9, 2_500), name="yours", measure=Measure("images", "longer", 1))
    assert common_front([first, other]) == set()
    assert differing([first, other]) == ["recipe", "rung"]
    assert letters([first, other]) == {"mine": "A", "yours": "B"}
    with pytest.raises(UserError, match="too many"):
        letters([first] * 27)


def test_other_forms_are_refused() -> None:
    with pytest.raises(UserError, match=r"front.pdf: a front can be drawn as .html, .png, .svg"):
        require_front_form(Path("front.pdf"))


def test_only_metrics_of_every_candidate_are_axes() -> None:
    require_metric("latency@p", [row("aaa", 0.5, 1, p=2.0)])
    for metric in ("latency@p", "id", "nonsense"):
        with pytest.raises(UserError, match="known: accuracy, flops"):
            require_metric(metric, [row("aaa", 0.5, 1, p=2.0), row("bbb", 0.6, 2)])


def test_most_accurate_keeps_the_order_and_prefers_the_highest_rung() -> None:
    rows = [row("aaa", 0.9, 1, rung=0), row("bbb", 0.5, 2, rung=1), row("ccc", 0.6, 3, rung=1)]
    assert [one.id for one in most_accurate(rows, 2)] == ["bbb", "ccc"]
    assert [one.id for one in most_accurate(rows, 9)] == ["aaa", "bbb", "ccc"]
