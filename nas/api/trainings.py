"""Trainings from Python that are no search: one network in full, several compared, a checkpoint brought in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nas.api.architectures import load_architecture
from nas.api.full_training import train_to_folder
from nas.api.progress import ProgressBar
from nas.api.workers import Local, Ray
from nas.architecture import Architecture
from nas.data import describe
from nas.errors import UserError
from nas.export.imported import Imported, import_checkpoint as import_file
from nas.export.trained import Start, Trained
from nas.ledger import DEFAULT_STORAGE, Ledger
from nas.ledger.address import storage_url
from nas.report.comparison import ComparisonRow, comparison_rows
from nas.search.images import decode_images
from nas.search.launch import resolve_device
from nas.search.sweeps.comparison import Comparison, Entry
from nas.search.sweeps.run import run_sweep
from nas.search.sweeps.sweep_run import SweepRun
from nas.space.references import resolve_architecture
from nas.task import Task
from nas.train.distributed import joined
from nas.train.full import Moment
from nas.train.process import keep_freed_memory
from nas.train.recipe import Recipe, load_recipe
from nas.train.trackers import find_trackers


def import_checkpoint(
    path: str | os.PathLike[str], preset: str, folder: str | os.PathLike[str], *, force: bool = False
) -> Imported:
    """Write an official checkpoint as a folder that `nas.load_model` reads, as `nas import` does.

    Raises:
        UserError: the file cannot be read, does not fit the preset, or the folder cannot be written or holds something
            else, which is written over only with `force`.
    """
    return import_file(Path(path), preset, Path(folder), force=force)


def train_network(
    architecture: Architecture | str | None = None,
    folder: str | os.PathLike[str] = "trained",
    *,
    data: str = "digits",
    recipe: Recipe | str | None = None,
    start: str | os.PathLike[str] | None = None,
    seed: int = 0,
    device: str = "auto",
    micro_batch: int | None = None,
    force: bool = False,
    tensorboard: str | os.PathLike[str] | None = None,
    wandb: str | os.PathLike[str] | None = None,
    mlflow: str | os.PathLike[str] | None = None,
    quiet: bool = False,
) -> Trained:
    """Train one architecture, judge it on the test split, and write it as a folder, as `nas train` does.

    An interrupted training goes on when it is asked for again; one that is finished there is not done again.

    Args:
        architecture: what to train, or a reference as `load_architecture` takes it; None with `start`.
        folder: where to write.
        data: the data set.
        recipe: how, or the name or file of a recipe; None for the proxy's default without rungs.
        start: a folder of trained weights to go on from, in place of an architecture.
        seed: of everything random.
        device: `auto`, `cpu` or `cuda`.
        micro_batch: images per forward pass; None for the whole batch, or what the memory is enough for.
        force: write over something else in the folder, too.
        tensorboard: folder to write the curve into for TensorBoard, too; curve.csv is always there.
        wandb: the same for Weights & Biases, offline.
        mlflow: the same for MLflow.
        quiet: show nothing.

    Raises:
        UserError: neither or both of architecture and start, something named does not exist, a tracker's library is
            absent, or the folder holds something else.
        DataError: the data cannot be used.
        Diverged: the loss became infinite or NaN.
    """
    if (architecture is None) == (start is None):
        raise UserError("name an architecture to train from scratch, or trained weights as start; one of them")
    begun = None if start is None else Start.read(Path(start))
    found = begun.architecture if begun is not None else _architecture(architecture)
    chosen = _recipe(recipe).without_rungs()
    trackers = find_trackers(tensorboard=tensorboard, wandb=wandb, mlflow=mlflow)
    keep_freed_memory()
    with ProgressBar(quiet=quiet) as bar, joined(resolve_device(device)) as place:

        def watch(moment: Moment) -> None:
            pace = f"{moment.images_per_second:,.0f} images/s"
            bar.fraction(f"epoch {moment.epoch} of {moment.epochs}, {pace}", moment.fraction)

        trained = train_to_folder(
            found,
            data,
            chosen,
            Path(folder),
            seed=seed,
            place=place,
            start=begun,
            micro_batch=micro_batch,
            force=force,
            trackers=trackers,
            watch=watch,
        )
    if trained is None:
        raise UserError("under torchrun, train with `nas train`: only its first process has a result")
    return trained


def compare(
    architectures: Sequence[Architecture | str],
    *,
    name: str = "comparison",
    data: str = "digits",
    recipe: Recipe | str | None = None,
    seeds: int = 3,
    test: bool = False,
    resolution: int = 224,
    classes: int = 1000,
    storage: str = DEFAULT_STORAGE,
    executor: Local | Ray | None = None,
    quiet: bool = False,
) -> list[ComparisonRow]:
    """Train given architectures under one recipe with several seeds, as `nas compare` does.

    What any study of the ledger has trained already is not trained again; the same call goes on after an interruption.

    Args:
        architectures: what to compare, or references as `load_architecture` takes them.
        name: of the study.
        data: the data set.
        recipe: how to train, or the name or file of a recipe; None for the proxy's default.
        seeds: trainings of each.
        test: judge every training on the test images, too.
        resolution: side of the images that costs are for.
        classes: outputs of the classifier that costs are for.
        storage: the ledger, by its file or its address.
        executor: who trains; None for the processes of this machine.
        quiet: show nothing.

    Returns:
        A row an architecture: label, costs, mean accuracy with its 95% interval over the seeds.

    Raises:
        UserError: something named does not exist.
        DataError: the data cannot be used.
        StudyError: a study of that name compares something else.
    """
    storage = storage_url(storage)
    entries = [Entry(architecture=one if isinstance(one, str) else one.id) for one in architectures]
    settings = (executor or Local()).settings()
    with ProgressBar(quiet=quiet) as bar, Ledger.open(storage, notify=bar.say) as ledger:
        found = describe(data, progress=bar.count)
        chosen = _recipe(recipe)
        comparison = Comparison(
            name=name,
            about="",
            entries=tuple(entries),
            architectures=tuple(
                one if isinstance(one, Architecture) else resolve_architecture(one, storage) for one in architectures
            ),
            task=Task(resolution=resolution, classes=classes),
            data=found.reference,
            fingerprint=found.fingerprint,
            recipe=chosen,
            seeds=seeds,
            test=test,
        )
        decode_images(data, chosen.stored_resolution, expected=found.fingerprint, progress=bar.count, note=bar.note)
        source = SweepRun(comparison.sweep(), ledger)
        run_sweep(source, comparison.to_dict(), settings, watch=bar.update, listen=lambda pulse: None, say=bar.say)
        return comparison_rows([(entry.architecture, entry.published) for entry in entries], ledger.trials(name))


def _architecture(given: Architecture | str | None) -> Architecture:
    return given if isinstance(given, Architecture) else load_architecture(str(given))


def _recipe(given: Recipe | str | None) -> Recipe:
    return given if isinstance(given, Recipe) else Recipe() if given is None else load_recipe(given)
