"""`nas import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.options import Force, Json, Output, loading


def run(
    checkpoint: Annotated[Path, typer.Argument(help="An official checkpoint: .pth, .pt or .safetensors.")],
    output: Output,
    preset: Annotated[str, typer.Option("--preset", "-p", help="The published network it belongs to.")],
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Bring in an official checkpoint of a published network.

    Writes the same folder as `nas export`; every tensor must be asked for and be there.
    """
    from dataclasses import asdict

    from nas.export.imported import import_checkpoint

    done = import_checkpoint(checkpoint, preset, output, force=force)
    if as_json:
        from nas.cli.output import print_json

        print_json(asdict(done))
        return
    from nas.cli.output import draw, strong

    taken = "" if done.container is None else f", taken from {done.container!r}"
    left = f"; {', '.join(map(repr, done.others))} in the same file not taken" if done.others else ""
    draw(
        strong(preset) + f" ({done.id}) -> {done.folder}: {', '.join(done.files)}",
        f"{done.params:,} parameters, {done.classes} classes{taken}{left}",
        f"use it: {loading(done.folder)}",
    )
