"""`nas erf`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import Device, Json, Seed, Storage
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nas.export.receptive_fields import ReceptiveField


def run(
    architectures: Annotated[
        list[str],
        typer.Argument(
            metavar="ARCH...",
            autocompletion=completion.architectures,
            help="A folder with trained weights, or, with fresh ones, a preset, an architecture file or STUDY:ID.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Draw the fields side by side into a .png or .svg (extra plots)."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="Take images of this data set's validation split; default: normal noise."),
    ] = None,
    images: Annotated[int, typer.Option("--images", "-n", min=1, help="How many images; RepLKNet took 50.")] = 50,
    resolution: Annotated[
        int | None,
        typer.Option(
            "--resolution", "-r", min=1, help="Side of the images in pixels; default: the network's own (paper: 1024)."
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Show effective receptive fields: how much of the image the middle of a network's last map looks at.

    As RepLKNet's analysis (arXiv:2203.06717): the gradient of the middle point by the input, positive part, mean over
    images, log10(x + 1); of it, the area of the smallest centred square that holds 20, 30, 50 and 99 %. Shown also
    without the logarithm, which depends on how large the gradient is.
    """
    from nas.cli.live import StepDisplay
    from nas.cli.output import notice
    from nas.export.receptive_fields import Images, measure_field
    from nas.report.images import require_form
    from nas.search.launch import resolve_device

    if output is not None:
        require_form(output, "receptive fields")
    seen = Images(data, images, seed=seed)
    place = resolve_device(device)
    fields = []
    for reference in architectures:
        with StepDisplay(f"measuring {reference}") as display:
            fields.append(
                measure_field(
                    reference,
                    seen,
                    storage=storage,
                    resolution=resolution,
                    seed=seed,
                    device=place,
                    progress=display.fraction,
                )
            )
    if output is not None:
        from nas.report.receptive_fields import write_fields

        write_fields(fields, output)
        notice(f"{output}: {len(fields)} side by side; the square holds half of the contribution (logarithm)")
    if as_json:
        from nas.cli.output import print_json

        print_json([one.to_dict() | {"data": data or "noise", "seed": seed} for one in fields])
        return
    _show(fields, data)


def _show(fields: Sequence[ReceptiveField], data: str | None) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table
    from nas.export.receptive_fields import percent
    from nas.units import plural

    columns = ("network", "weights", ">side", *(f">{percent(square.share)}%" for square in fields[0].squares))
    logarithm = table("Area that holds a share of the contribution, log10(x + 1)", *columns)
    linear = table("The same without the logarithm", *columns)
    for one in fields:
        for made, squares in ((logarithm, one.squares), (linear, one.linear)):
            made.add_row(one.name, one.weights, str(one.resolution), *(f"{square.area:.1%}" for square in squares))
    draw(logarithm, linear, f"{plural(fields[0].images, 'image')} of {data or 'noise'}")
    if any(one.weights == "fresh" for one in fields):
        draw(
            "Fresh weights hold back what is behind a small layer scale; a folder by `nas train` or `nas export` has "
            "trained ones."
        )
