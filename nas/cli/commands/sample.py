"""`nas sample`."""

from __future__ import annotations

from typing import Annotated

import typer

from nas.cli.options import Budgets, Classes, Json, Resolution, Seed, Space, overridden


def run(
    space: Space,
    budget: Budgets = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 10,
    seed: Seed = 0,
    resolution: Resolution = None,
    classes: Classes = None,
    as_json: Json = False,
) -> None:
    """Draw distinct architectures within budget, with their costs. Nothing is trained."""
    import numpy as np

    from nas.cost import Budget
    from nas.report.cost import cost_row
    from nas.space import load_space

    limits = Budget.parse(budget)
    found = load_space(space)
    task = overridden(found.task, resolution, classes)
    within = found.within(limits, task=task)
    drawn = [within.architecture(row) for row in within.draw(count, np.random.default_rng(seed))]
    rows = [cost_row(architecture.id, architecture, task) for architecture in drawn]
    if as_json:
        from nas.cli.output import print_json

        print_json([{**row.to_dict(), "architecture": one.to_dict()} for row, one in zip(rows, drawn, strict=True)])
        return
    from nas.cli.output import draw
    from nas.cli.tables import table
    from nas.units import format_count

    title = f"{count} of {within.size} points of {found.name} within {limits}, at {task.resolution}x{task.resolution}"
    made = table(title, "id", "depths", "widths", ">params", ">FLOPs", ">activations")
    for row, one in zip(rows, drawn, strict=True):
        depths, widths = ([str(getattr(stage, name)) for stage in one.stages] for name in ("depth", "width"))
        numbers = (format_count(number) for number in (row.params, row.flops, row.activations))
        made.add_row(row.id, " ".join(depths), " ".join(widths), *numbers)
    draw(made)
