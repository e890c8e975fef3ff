"""`nas show`."""

from __future__ import annotations

from typing import Annotated

import typer

from nas.cli.options import Classes, Json, Resolution, Storage, overridden
from nas.ledger.address import DEFAULT_STORAGE


def run(
    architecture: Annotated[str, typer.Argument(metavar="ARCH", help="A preset, an architecture file or STUDY:ID.")],
    resolution: Resolution = None,
    classes: Classes = None,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print it as an architecture file, on stdout and nothing else.")
    ] = False,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Draw an architecture: stages, maps, and where its parameters and FLOPs are."""
    from dataclasses import asdict

    from nas.architecture import estimate
    from nas.errors import UserError
    from nas.report.cost import part_rows
    from nas.space.references import own_task, resolve_architecture

    found = resolve_architecture(architecture, storage)
    task = overridden(own_task(architecture, storage), resolution, classes)
    if as_yaml:
        from nas.architecture.text import to_yaml
        from nas.cli.output import print_text

        if as_json:
            raise UserError("say --json or --yaml; both are read back as an architecture")
        print_text(to_yaml(found, heading=f"Architecture {found.id}, from {architecture}"))
        return
    rows = part_rows(found, task)
    if as_json:
        from nas.cli.output import print_json

        document = {"name": architecture, "id": found.id, "resolution": task.resolution, "classes": task.classes}
        parts = [asdict(row) for row in rows]
        print_json({**document, **asdict(estimate(found, task)), "architecture": found.to_dict(), "parts": parts})
        return
    from nas.cli.output import draw
    from nas.cli.tables import drawing, legend
    from nas.units import format_count

    cost = estimate(found, task)
    size = f"{task.resolution}x{task.resolution}"
    title = f"{architecture}: {format_count(cost.params)} params, {format_count(cost.flops)}FLOPs at {size}"
    draw(drawing(rows, title), legend(rows), f"id {found.id}, {task.classes} classes")
    if found.drop_path:
        draw(f"drop path 0 to {found.drop_path:g} over {found.depth} blocks")
