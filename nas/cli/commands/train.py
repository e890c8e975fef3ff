"""`nas train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import (
    Data,
    Device,
    Force,
    Json,
    MicroBatch,
    MlflowFolder,
    Output,
    RecipeName,
    Seed,
    Seeds,
    Storage,
    TensorBoardFolder,
    WandbFolder,
)
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.train.recipe import Recipe

_LONGER = 10  # times the epochs of a proxy
_FINE_TUNING = "convnext_finetune"


def run(
    output: Output,
    architecture: Annotated[
        str | None,
        typer.Argument(
            metavar="[ARCH]",
            autocompletion=completion.architectures,
            help="A preset, an architecture file or STUDY:ID.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Go on from trained weights instead, as `nas import`, `nas export` or `nas train` wrote them.",
        ),
    ] = None,
    data: Data = None,
    recipe: RecipeName = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help=f"Default: the recipe's; without one, {_LONGER} times a proxy's."),
    ] = None,
    resolution: Annotated[
        int | None, typer.Option("--resolution", "-r", min=1, help="Side of the training images in pixels.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Peak learning rate.")] = None,
    micro_batch: MicroBatch = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    force: Force = False,
    tensorboard: TensorBoardFolder = None,
    wandb: WandbFolder = None,
    mlflow: MlflowFolder = None,
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Train one architecture, from scratch or --from trained weights, and judge it on the test split.

    Without --recipe: the recipe of its study (or of the proxy), for longer. Ends with a folder as `nas export` writes
    it. Run again after an interruption, it goes on. Several GPUs: torchrun --nproc-per-node N -m nas train …
    --from an official checkpoint on your images: a classifier for other classes starts anew, the images are normalised
    as the weights are used to, and the default recipe is convnext_finetune.
    """
    from nas.cli.trainings import overridden_recipe, train_and_show
    from nas.errors import UserError
    from nas.train.recipe import load_recipe
    from nas.train.trackers import find_trackers

    if (architecture is None) == (weights is None):
        raise UserError("name an architecture to train from scratch, or trained weights with --from; one of them")
    start = None
    if weights is not None:
        from nas.export.trained import Start

        if data is None:
            raise UserError("--from needs --data: the images to go on with, such as folder:PATH")
        start = Start.read(weights)
        label, found, base = str(weights), start.architecture, load_recipe(recipe or _FINE_TUNING)
    else:
        from nas.space.references import resolve_architecture, split_reference

        label = str(architecture)
        found, study = resolve_architecture(label, storage), split_reference(label)
        if study is not None and (data is None or recipe is None):
            _require_recipe(study[0], storage)
        base = _longer_proxy(study, storage) if recipe is None else load_recipe(recipe)
        data = data or _data_of(study, storage)
    train_and_show(
        label,
        found,
        data,
        overridden_recipe(
            base.without_rungs(), epochs=epochs, resolution=resolution, batch=batch, learning_rate=learning_rate
        ),
        output,
        seeds=range(seed, seed + seeds),
        device=device,
        start=start,
        micro_batch=micro_batch,
        force=force,
        trackers=find_trackers(tensorboard=tensorboard, wandb=wandb, mlflow=mlflow),
        as_json=as_json,
    )


def _require_recipe(study: str, storage: str) -> None:
    """Refuse to guess for a study that trains by a function of its own."""
    from nas.errors import StudyError
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        if "evaluate" in ledger.study(study).definition:
            raise StudyError(f"study {study!r} trains by its own function: say how to train by --recipe and --data")


def _longer_proxy(study: tuple[str, str] | None, storage: str) -> Recipe:
    """The recipe that an architecture's study trained it by, or the proxy's default, for longer."""
    from nas.ledger import Ledger
    from nas.train.recipe import Recipe

    proxy = Recipe()
    if study is not None:
        with Ledger.read(storage) as ledger:
            proxy = Recipe.from_dict(ledger.study(study[0]).definition["recipe"])
    return proxy.without_rungs().changed(epochs=proxy.epochs * _LONGER)


def _data_of(study: tuple[str, str] | None, storage: str) -> str:
    """The data of the study that an architecture is from; digits for one from anywhere else."""
    from nas.ledger import Ledger
    from nas.records import StudyKind

    if study is None:
        return "digits"
    with Ledger.read(storage) as ledger:
        record = ledger.study(study[0])
        if record.kind is StudyKind.REFINE:  # which keeps only the fingerprint of its search's data
            record = ledger.study(record.definition["refines"])
    return str(record.definition["data"])
