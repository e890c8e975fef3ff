"""`nas sample`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Budgets, Classes, Json, Resolution, Seed, Space, Storage, overridden
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from numpy.random import Generator
    from rich.table import Table

    from nas.architecture import Architecture
    from nas.cost import Budget
    from nas.measure.prediction.within import Foretold
    from nas.report.cost import CostRow
    from nas.space.feasible import FeasibleSet
    from nas.task import Task


def run(
    space: Space,
    budget: Budgets = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 10,
    seed: Seed = 0,
    resolution: Resolution = None,
    classes: Classes = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for an architecture file of each, ID.yaml.")
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Draw distinct architectures within budget, with their costs. Nothing is trained, and nothing is measured.

    A budget in milliseconds is met by prediction, from the latencies that the ledger knows; see nas calibrate.
    """
    from itertools import zip_longest

    import numpy as np

    from nas.cost import Budget
    from nas.measure.prediction.within import latency_of
    from nas.report.cost import cost_row
    from nas.space import load_space

    limits = Budget.parse(budget)
    found = load_space(space)
    task = overridden(found.task, resolution, classes)
    within = found.within(limits.closed, task=task)
    rng = np.random.default_rng(seed)
    latencies = _foretold(within, limits, task, space, storage, count, rng) if limits.measured else []
    drawn = [one.architecture for one in latencies] or [within.architecture(row) for row in within.draw(count, rng)]
    rows = [cost_row(architecture.id, architecture, architecture.task_of(task)) for architecture in drawn]
    if output is not None:
        _write(output, drawn)
    if as_json:
        from nas.cli.output import print_json

        print_json(
            [
                {**row.to_dict(), **({"latency": latency_of(told)} if told else {}), "architecture": one.to_dict()}
                for row, one, told in zip_longest(rows, drawn, latencies)
            ]
        )
        return
    from nas.cli.output import draw

    title = f"{count} of {within.size} points of {found.name} within {limits}, at {task.resolution}x{task.resolution}"
    draw(_table(title, rows, drawn, latencies))


def _table(title: str, rows: Sequence[CostRow], drawn: Sequence[Architecture], latencies: Sequence[Foretold]) -> Table:
    from itertools import zip_longest

    from nas.cli.tables import table
    from nas.units import format_count

    profiles = list(latencies[0].latency) if latencies else []
    made = table(
        title, "id", "depths", "widths", ">params", ">FLOPs", ">activations", *(f">ms, {one}" for one in profiles)
    )
    for row, one, told in zip_longest(rows, drawn, latencies):
        depths, widths = ([str(getattr(stage, name)) for stage in one.stages] for name in ("depth", "width"))
        numbers = (format_count(number) for number in (row.params, row.flops, row.activations))
        times = [f"{told.latency[name].ms:.3g}" for name in profiles]
        made.add_row(row.id, " ".join(depths), " ".join(widths), *numbers, *times)
    if profiles:
        made.caption = "milliseconds are predicted; nas latency measures them"
    return made


def _foretold(
    within: FeasibleSet, limits: Budget, task: Task, space: str, storage: str, count: int, rng: Generator
) -> list[Foretold]:
    from nas.measure.prediction.within import draw_within, forecasting

    with forecasting(limits, task, storage, space=space) as forecasts:
        return draw_within(within, forecasts, count, rng)


def _write(folder: Path, drawn: list[Architecture]) -> None:
    from nas.architecture.text import to_yaml
    from nas.data.atomic import new_file
    from nas.errors import UserError, system_reason
    from nas.export.folder import beside, move

    try:
        with beside(folder) as place:
            for one in drawn:
                with new_file(place / f"{one.id}.yaml") as path:
                    path.write_text(to_yaml(one, heading=f"Architecture {one.id}"), encoding="utf-8")
            move(place, folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {system_reason(error)}") from None
