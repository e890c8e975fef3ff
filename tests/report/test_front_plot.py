"""Candidates as points, in every form."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nas.analysis.front import FrontRow, front_rows, most_accurate, require_metric
from nas.errors import UserError
from nas.report.front_plot import FrontPlot, require_front_form, write_front

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


@pytest.mark.parametrize(("suffix", "start"), [(".html", b"<html>"), (".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_every_form_is_written_whole(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"front{suffix}"
    plot = FrontPlot(title=f"$ {HOSTILE} $", x_metric="params", y_metric="accuracy", rows=ROWS, best=front_rows(ROWS))
    write_front(plot, path)
    assert start in path.read_bytes()[:32]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert HOSTILE.encode() not in path.read_bytes()
    if suffix == ".png":
        with Image.open(path) as image:
            assert image.size == (1050, 675)


def test_groups_are_the_front_and_the_others_from_left_to_right() -> None:
    plot = FrontPlot(title="", x_metric="flops", y_metric="accuracy", rows=ROWS[::-1], best=front_rows(ROWS))
    assert [(name, [one.id for one in rows]) for name, _, rows in plot.groups()] == [
        ("other candidates", ["bbb"]),
        ("front", ["aaa", "ccc"]),
    ]


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
