"""`nas shape-bias`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Device, Json, Storage
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.analysis.shape_bias import Tally
    from nas.export.shape_bias import ShapeBias


def run(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A folder with trained weights, as nas train, export or import wrote it."),
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            "-d",
            help="Folder of cue-conflict images named <shape><n>-<texture><n>.png, such as cat7-car1.png.",
        ),
    ],
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Show whether a classifier decides by shape or by texture, on images where the two conflict.

    The images of Geirhos et al. (arXiv:1811.12231) have 16 classes. A classifier of ImageNet's 1000 classes is asked by
    their mapping (mean probability over the classes of a category); another one by the classes of the same name.
    """
    from nas.cli.live import StepDisplay
    from nas.export.shape_bias import measure_shape_bias
    from nas.search.launch import resolve_device

    with StepDisplay(f"asking {model}") as display:
        bias = measure_shape_bias(
            model, data, storage=storage, device=resolve_device(device), progress=display.fraction
        )
    if as_json:
        from nas.cli.output import print_json

        print_json(bias.to_dict())
        return
    _show(bias)


def _show(bias: ShapeBias) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table
    from nas.units import plural

    made = table(
        f"{bias.name}: decisions by the class of the shape", "class", ">images", ">for shape", ">for texture", ">share"
    )
    for category, one in bias.by_shape.items():
        made.add_row(category, str(one.images), str(one.shape), str(one.texture), _share(one))
    made.add_row(
        "all", str(bias.overall.images), str(bias.overall.shape), str(bias.overall.texture), _share(bias.overall),
        style="bold",
    )  # fmt: skip
    left_out = f"{plural(bias.without_conflict, 'image')} without a conflict left out"
    unknown = f", {bias.unknown:,} of classes that the network does not know" if bias.unknown else ""
    counts = ", ".join(f"{category} {len(indices)}" for category, indices in bias.categories.items())
    draw(
        made,
        "share: of the decisions for shape or texture, those for the shape, with its 95% interval (Wilson)",
        f"{left_out}{unknown}; images at {bias.resolution}x{bias.resolution}",
        f"classes of the network by category: {counts}",
    )


def _share(one: Tally) -> str:
    interval = one.interval
    return "-" if interval is None else f"{one.share:.0%} ({interval.low:.0%} to {interval.high:.0%})"
