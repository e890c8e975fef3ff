"""`nas cost`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli import completion
from nas.cli.options import Classes, Json, Resolution, Storage, overridden
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.architecture import Architecture
    from nas.report.cost import CostRow
    from nas.task import Task


def run(
    architectures: Annotated[
        list[str],
        typer.Argument(
            metavar="ARCH...", autocompletion=completion.architectures, help="Presets, architecture files or STUDY:ID."
        ),
    ],
    resolution: Resolution = None,
    classes: Classes = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Build each network and show what fvcore counts beside it.")
    ] = False,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Price architectures exactly, without building them.

    1 FLOP = 1 multiply-add of a convolution or linear layer at batch size 1, as in the ConvNeXt paper.
    """
    from nas.report.cost import cost_row
    from nas.space.references import own_task, resolve_architecture

    found = [
        (name, resolve_architecture(name, storage), overridden(own_task(name, storage), resolution, classes))
        for name in architectures
    ]
    rows = [cost_row(*one) for one in found]
    counts = [_count(architecture, task) for _, architecture, task in found] if verify else []
    if as_json:
        from nas.cli.output import print_json

        verified = [{"verified": count} for count in counts] or [{} for _ in rows]
        print_json([{**row.to_dict(), **extra} for row, extra in zip(rows, verified, strict=True)])
        return
    _draw(rows, counts, [task for _, _, task in found])


def _count(architecture: Architecture, task: Task) -> dict[str, Any]:
    from nas.architecture.crosscheck import crosscheck

    return crosscheck(architecture, task).to_dict()


def _draw(rows: list[CostRow], counts: list[dict[str, Any]], tasks: list[Task]) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table

    words = [f"{task.resolution}x{task.resolution}, {task.classes} classes" for task in tasks]
    title = f"Cost at {words[0]}" if len(set(words)) == 1 else "Cost, each for its own task"
    made = table(title, "architecture", "id", ">params", ">FLOPs", ">activations")
    for row, task in zip(rows, words, strict=True):
        if len(set(words)) > 1:
            made.add_row(f"at {task}", style="dim")
        made.add_row(row.name, row.id, f"{row.params:,}", f"{row.flops:,}", f"{row.activations:,}")
        if (row.train_params, row.train_flops) != (row.params, row.flops):
            made.add_row("  as trained", "", f"{row.train_params:,}", f"{row.train_flops:,}", "", style="dim")
    draw(made)
    for row, count in zip(rows, counts, strict=False):
        checked = table(f"fvcore on the built {row.name}", "operator", ">counted", "in our FLOPs")
        for operator, flops in count["operators"].items():
            checked.add_row(operator, f"{flops:,}", "yes" if operator in ("conv", "linear") else "no")
        agrees = "agrees" if count["agrees"] else "DISAGREES"
        checked.caption = (
            f"conv + linear {count['flops']:,} {agrees} with the closed form {row.train_flops:,}; "
            f"{count['params']:,} parameters built, {row.train_params:,} in closed form"
        )
        draw("", checked)
