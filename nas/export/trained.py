"""The folder of a full training: what one begins with, whether it is there already, what is written at its end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import nn

from nas.analysis.intervals import wilson
from nas.architecture import Architecture
from nas.data import DataSet
from nas.errors import UserError
from nas.export.bundle import load_model, write_bundle
from nas.export.folder import WEIGHTS, beside, held, is_used, move
from nas.export.winner import measure_test, provenance
from nas.records import EvaluationKey
from nas.space import load_architecture
from nas.space.references import ABOUT, read_about
from nas.train.checkpoint import remove_checkpoint
from nas.train.full import CHECKPOINT, CURVE, FullTraining
from nas.train.validation import validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What came out of a training.

    Attributes:
        id: of the architecture.
        folder: where it was written.
        files: what was written.
        seed: of the training.
        validation, test: accuracy in [0, 1], its 95% interval over the choice of images, and their number.
        curve: mean training loss of every epoch.
        images_per_second: of the training steps; of the last run, where it was interrupted.
        seconds: of the training steps, interruptions left out.
    """

    id: str
    folder: str
    files: tuple[str, ...]
    seed: int
    validation: dict[str, Any]
    test: dict[str, Any]
    curve: tuple[float, ...]
    images_per_second: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Trained weights that a training begins with.

    Attributes:
        folder: as `nas import`, `nas export` and `nas train` write it.
        architecture: of the weights.
        digest: 12 hex digits of the weights' file.
    """

    folder: Path
    architecture: Architecture
    digest: str

    @classmethod
    def read(cls, folder: Path) -> Start:
        """Look at a folder of weights; raises UserError."""
        load_model(folder)
        return cls(
            folder=folder,
            architecture=load_architecture(folder / "architecture.yaml"),
            digest=sha256((folder / WEIGHTS).read_bytes()).hexdigest()[:12],
        )

    def normalised_as(self, data: DataSet) -> DataSet:
        """The data set with the mean and deviation that the weights are used to, where the channels agree."""
        about = read_about(self.folder / ABOUT)
        if about.in_channels != data.channels:
            return data
        return replace(data, mean=tuple(about.mean), std=tuple(about.std))

    def fill(self, network: nn.Module) -> None:
        """Give a network the weights; a classifier for other classes, and only that, keeps its own start.

        Raises:
            UserError: anything else does not fit.
        """
        mine, theirs = network.state_dict(), load_model(self.folder).state_dict()
        misfits = [name for name in mine if name not in theirs or mine[name].shape != theirs[name].shape]
        other_classes = [name for name in misfits if not name.startswith("head.")]
        if other_classes:
            raise UserError(
                f"{self.folder}: {other_classes[0]} does not fit the network; the images have other channels than "
                "those the weights were trained on, or the weights are merged"
            )
        network.load_state_dict({**theirs, **{name: mine[name] for name in misfits}})


def require_room(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds something, but no training: before anything is read for one.

    Raises:
        UserError: it does.
    """
    if is_used(folder) and not force and not any((folder / name).is_file() for name in (CHECKPOINT, ABOUT)):
        raise held(folder, "something else")


def finished(folder: Path, key: EvaluationKey) -> Trained | None:
    """The result of the same training, if it is in the folder already."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["training"] == key.to_dict() and (folder / WEIGHTS).is_file():
            return Trained(**{**about["trained"], "files": tuple(about["trained"]["files"]),
                              "curve": tuple(about["trained"]["curve"]), "folder": str(folder)})  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return None


def write_trained(
    done: FullTraining, architecture: Architecture, images: DataSet, data: str, folder: Path, key: EvaluationKey
) -> Trained:
    """Judge a finished training and write its folder; its checkpoint goes.

    Args:
        done: the training.
        architecture: what was trained.
        images: the data set, and `data` its reference.
        data: see `images`.
        folder: where to write.
        key: of the training.

    Raises:
        UserError: the folder cannot be written.
    """
    training = done.training
    network, recipe = training.model, training.recipe
    checked = validate(network, images, recipe, device=training.device)
    interval = wilson(checked.accuracy, checked.images)
    trained = Trained(
        id=architecture.id,
        folder=str(folder),
        files=("architecture.yaml", WEIGHTS, ABOUT, CURVE),
        seed=key.seed,
        validation={
            "accuracy": checked.accuracy, "low": interval.low, "high": interval.high, "images": checked.images,
        },
        test=measure_test(network, images, recipe, device=str(training.device)),
        curve=training.curve,
        images_per_second=done.images_per_second,
        seconds=done.seconds,
    )  # fmt: skip
    results = {
        "data": data,
        "recipe": recipe.to_dict(),
        "seed": key.seed,
        "validation_accuracy": checked.accuracy,
        "test": trained.test,
        "training": key.to_dict(),
        "trained": asdict(trained),
    }
    with beside(folder) as place:  # what was begun to be written would be in the way of the next run
        write_bundle(place, architecture, network.cpu(), provenance(images, results))
        move(place, folder)
    done.curve.write()
    remove_checkpoint(str(folder / CHECKPOINT))
    return trained
