"""`nas finetune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.options import Device, Json, MicroBatch, Output, RecipeName, Seed, Seeds

_RECIPE = "convnext_finetune"


def run(
    weights: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Trained weights, as `nas import`, `nas export` or `nas train` wrote them."
        ),
    ],
    output: Output,
    data: Annotated[str, typer.Option("--data", "-d", help="The data set to learn: digits, folder:PATH, …")],
    recipe: RecipeName = _RECIPE,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Default: the recipe's.")] = None,
    resolution: Annotated[
        int | None, typer.Option("--resolution", "-r", min=1, help="Side of the training images in pixels.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Peak learning rate.")] = None,
    micro_batch: MicroBatch = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Go on training weights on another data set, such as an official checkpoint on your images.

    A classifier for other classes starts anew. The images are normalised as the weights are used to.
    """
    from nas.cli.trainings import overridden_recipe, train_and_show
    from nas.export.training import Start
    from nas.train.recipe import load_recipe

    start = Start.read(weights)
    base = load_recipe(recipe or _RECIPE).without_rungs()
    train_and_show(
        str(weights),
        start.architecture,
        data,
        overridden_recipe(base, epochs=epochs, resolution=resolution, batch=batch, learning_rate=learning_rate),
        output,
        seeds=range(seed, seed + seeds),
        device=device,
        start=start,
        micro_batch=micro_batch,
        as_json=as_json,
    )
