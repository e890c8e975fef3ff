"""`nas show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import Classes, Json, Resolution, Storage, overridden
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.architecture import Architecture
    from nas.task import Task


def run(
    architecture: Annotated[
        str,
        typer.Argument(
            metavar="ARCH", autocompletion=completion.architectures, help="A preset, an architecture file or STUDY:ID."
        ),
    ],
    resolution: Resolution = None,
    classes: Classes = None,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print it as an architecture file, on stdout and nothing else.")
    ] = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw it into an .svg file.")] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Draw it into a .png file (extra plots).")] = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Draw an architecture: stages, maps, where its parameters and FLOPs are, and every field, defaults too."""
    from dataclasses import asdict

    from nas.architecture import estimate
    from nas.errors import UserError
    from nas.report.cost import part_rows
    from nas.space.references import own_task, resolve_architecture

    found = resolve_architecture(architecture, storage)
    task = overridden(own_task(architecture, storage), resolution, classes)
    _draw_into(svg, png, found, task, architecture)
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
    from rich.text import Text

    from nas.architecture.text import to_yaml
    from nas.cli.output import draw
    from nas.cli.tables import drawing
    from nas.units import format_count

    cost = estimate(found, task)
    size = f"{task.resolution}x{task.resolution}"
    title = f"{architecture}: {format_count(cost.params)} params, {format_count(cost.flops)}FLOPs at {size}"
    draw(drawing(rows, title), Text(to_yaml(found)), f"id {found.id}, {task.classes} classes")
    if found.drop_path:
        draw(f"drop path 0 to {found.drop_path:g} over {found.depth} blocks")


def _draw_into(svg: Path | None, png: Path | None, architecture: Architecture, task: Task, name: str) -> None:
    """Write the drawings that were asked for."""
    if svg is None and png is None:
        return
    from nas.cli.output import notice
    from nas.data.atomic import new_file
    from nas.report.drawing import drawn_parts, svg as svg_text
    from nas.report.drawing_image import write_drawing
    from nas.report.images import require_form, require_suffix

    if svg is not None:
        require_suffix(svg, "with --svg an architecture", (".svg",))
    if png is not None:
        require_form(png, "with --png an architecture", (".png",))
    parts = drawn_parts(architecture, task)
    if svg is not None:
        with new_file(svg) as temporary:
            temporary.write_text(svg_text(parts, title=name), encoding="utf-8")
        notice(f"{svg}: {name} at {task.resolution}x{task.resolution}")
    if png is not None:
        write_drawing(parts, png, title=name)
        notice(f"{png}: {name} at {task.resolution}x{task.resolution}")
