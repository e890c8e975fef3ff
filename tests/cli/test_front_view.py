"""Fronts at the width of a terminal: nothing is cut at 60 columns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from nas.analysis.front import FrontRow
from nas.cli.front_view import Shown, front_table, legend, preset_lines, scatter
from nas.cost import Budget
from nas.report.front_plot import FrontPlot, PresetPoint
from nas.report.fronts import Measure, StudyFront
from nas.task import Task


def rows(count: int) -> tuple[FrontRow, ...]:
    return tuple(
        FrontRow(
            id=f"{index:012x}", accuracy=0.5 + index / 100, flops=10**7 * (index + 1), params=10**6, activations=1,
            train_flops=1, train_params=1, share=0.5, rung=0, seeds=1, seconds=65.0, weights=None, latency={},
            decisions={},
        )
        for index in range(count)
    )  # fmt: skip


def front(name: str, some: tuple[FrontRow, ...], budget: str = "60MFLOPs", recipe: str = "recipe") -> StudyFront:
    return StudyFront(
        name=name, budget=Budget.parse(budget), task=Task(), costs=("flops",), rows=some, best=some,
        measure=Measure("images", recipe, 0), has_recipe=True,
    )  # fmt: skip


def drawn(thing: object, columns: int) -> str:
    out = io.StringIO()
    Console(file=out, width=columns).print(thing, soft_wrap=isinstance(thing, str))
    return out.getvalue()


def shown(fronts: Sequence[StudyFront]) -> list[Shown]:
    return [Shown(one.name, row) for one in fronts for row in one.best]


def plotted(*fronts: StudyFront, presets: Sequence[PresetPoint] = (), y_metric: str = "accuracy") -> FrontPlot:
    return FrontPlot(title="", x_metric="flops", y_metric=y_metric, fronts=fronts, presets=presets)


@pytest.mark.parametrize("columns", [60, 80])
def test_a_front_and_its_plot_fit(columns: int) -> None:
    mine = front("mine", rows(5))
    table = drawn(front_table([mine], shown([mine]), "mine: Pareto front within 60MFLOPs"), columns)
    plot = scatter(plotted(mine), columns=columns).plain
    for text in (table, plot):
        assert max(map(len, text.splitlines())) <= columns
        assert "…" not in text
    assert all(row.id in table for row in mine.rows)
    assert "1 min 05 s" in table
    assert "rung" not in table
    assert plot.count("*") == 6  # and one in the legend
    assert "60M" in plot  # the axis reaches to the budget
    assert all(line.endswith("|") for line in plot.splitlines()[1:15])


@pytest.mark.parametrize("columns", [60, 80])
def test_several_studies_have_letters_in_table_and_plot(columns: int) -> None:
    better = tuple(replace(row, accuracy=row.accuracy + 0.2, flops=row.flops + 5_000_000) for row in rows(3))
    fronts = [front("a-study", rows(5)), front("another-study", better, "30MFLOPs")]
    table = drawn(front_table(fronts, shown(fronts), "Pareto fronts"), columns)
    plot = scatter(plotted(*fronts), columns=columns).plain
    for text in (table, plot):
        assert max(map(len, text.splitlines())) <= columns
        assert "…" not in text
    assert [line.split()[0] for line in table.splitlines() if "000000" in line] == ["A"] * 5 + ["B"] * 3
    assert table.count("A *") == 1  # what the other study has is better but for the smallest
    assert table.count("B *") == 3
    assert "A, B fronts" in plot
    assert plot.count("|") > 28  # two budgets
    assert legend(fronts)[1] == "B  another-study: within 30MFLOPs, 3 of 3 on its front"


def test_what_must_not_be_compared_is_said() -> None:
    fronts = [front("a-study", rows(2)), front("another-study", rows(2), recipe="longer")]
    assert "differ in recipe." in legend(fronts)[-1]
    assert "*" not in drawn(front_table(fronts, shown(fronts), ""), 80)


def test_presets_are_in_the_plot_or_below_it() -> None:
    presets = [
        PresetPoint(name="known", cost={"flops": 2.2e7, "params": 2e6}, accuracy=0.7),
        PresetPoint(name="unknown", cost={"flops": 4.5e7, "params": 2e6}, accuracy=None),
        PresetPoint(name="huge", cost={"flops": 4.5e9, "params": 2e6}, accuracy=None),
    ]
    plot = plotted(front("mine", rows(5)), presets=presets)
    text = scatter(plot, columns=60).plain
    assert text.count("+") == 3  # itself, the corner and the legend
    assert text.count("^") == 2
    assert preset_lines(plot) == [
        "+ presets: known (22M, 70.0%)",
        "^ presets by FLOPs alone, none trained by this recipe: unknown (45M)",
    ]
    far = plotted(front("mine", rows(5)), presets=presets[2:])
    assert preset_lines(far) == ["no preset is near these candidates in FLOPs; the cheapest is huge, 4.5G"]


def test_points_of_two_fronts_in_one_place_are_said() -> None:
    text = scatter(plotted(front("a", rows(3)), front("b", rows(3))), columns=60).plain
    assert "& several" in text
    assert text.count("&") == 4
