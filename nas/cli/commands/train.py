"""`nas train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Data, Device, Json, Output, Seed, Storage
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.train.recipe import Recipe

_LONGER = 10  # times the epochs of a proxy


def run(
    architecture: Annotated[str, typer.Argument(metavar="ARCH", help="A preset, an architecture file or STUDY:ID.")],
    output: Output,
    data: Data = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help=f"Default: {_LONGER} times those of a proxy.")
    ] = None,
    resolution: Annotated[
        int | None, typer.Option("--resolution", "-r", min=1, help="Side of the training images in pixels.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Peak learning rate.")] = None,
    seed: Seed = 0,
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Train one architecture from scratch: the recipe of its study (or of the proxy), for longer.

    Ends with the accuracy on the test split and a folder as `nas export` writes it.
    """
    from dataclasses import asdict

    from nas.cli.live import StepDisplay
    from nas.export.references import resolve_architecture
    from nas.export.training import train_network
    from nas.search.launch import resolve_device
    from nas.units import plural

    found = resolve_architecture(architecture, storage)
    reference, recipe = _study_of(architecture, storage)
    fields = {"epochs": epochs or recipe.epochs * _LONGER, "resolution": resolution, "batch": batch,
              "learning_rate": learning_rate}  # fmt: skip
    longer = type(recipe).from_dict(
        {**recipe.to_dict(), **{name: value for name, value in fields.items() if value is not None}}
    )
    place = resolve_device(device)
    with StepDisplay(f"training {architecture} for {plural(longer.epochs, 'epoch')}") as display:
        done = train_network(
            found,
            data or reference,
            longer,
            output,
            seed=seed,
            device=place,
            report=display.fraction,
            decoding=lambda done, total: None,
        )
    if as_json:
        from nas.cli.output import print_json

        print_json(asdict(done))
        return
    from nas.cli.output import draw

    test = done.test
    draw(
        f"[bold]{architecture}[/bold] ({done.id}) -> {done.folder}: {', '.join(done.files)}",
        f"validation top-1 {done.validation['accuracy']:.1%}; training loss {done.curve[0]:.3f} -> "
        f"{done.curve[-1]:.3f}; {done.images_per_second:,.0f} images/s",
        f"test top-1 {test['accuracy']:.1%}, 95% interval {test['low']:.1%} to {test['high']:.1%} "
        f"over {test['images']:,} images",
    )


def _study_of(reference: str, storage: str) -> tuple[str, Recipe]:
    """Data and recipe of the study a reference names; the proxy's on digits for anything else."""
    from nas.export.references import split_reference
    from nas.train.recipe import Recipe

    study = split_reference(reference)
    if study is None:
        return "digits", Recipe()
    from nas.ledger import Ledger
    from nas.search.definition import StudyDefinition

    with Ledger.read(storage) as ledger:
        definition = StudyDefinition.from_dict(ledger.study(study[0]).definition)
    return definition.data, definition.recipe
