"""One network trained outside a search: from scratch or from weights, for as long as its recipe says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import nn

from nas.analysis.intervals import wilson
from nas.architecture import Architecture
from nas.data import DataSet, load_data
from nas.errors import NasError, UserError
from nas.export.bundle import load_model, write_bundle
from nas.export.folder import WEIGHTS, held, is_used, require_folder
from nas.export.winner import measure_test, provenance
from nas.records import EvaluationKey
from nas.space import load_architecture
from nas.space.references import ABOUT, read_about
from nas.train.checkpoint import read_checkpoint, remove_checkpoint, write_checkpoint
from nas.train.curve import EpochRow, TensorBoard, require_tensorboard, write_curve
from nas.train.distributed import Place
from nas.train.failures import is_out_of_memory, release_memory
from nas.train.loop import Training
from nas.train.model import make_model
from nas.train.recipe import Recipe
from nas.train.validation import validate

CHECKPOINT, CURVE, TENSORBOARD = "training.ckpt", "curve.csv", "tensorboard"
_SAVE_EVERY = 60.0  # seconds
_SMALLEST_PART = 64  # of a batch
_PACE_OVER = 20  # steps that the pace is measured over


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
class Moment:
    """How far a training is.

    Attributes:
        fraction: of its steps, in (0, 1].
        epoch: the one under way, from 1.
        epochs: of the training.
        images_per_second: over the last steps.
    """

    fraction: float
    epoch: int
    epochs: int
    images_per_second: float


Watch = Callable[[Moment], None]


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


def train_network(
    architecture: Architecture,
    data: str,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    place: Place,
    start: Start | None = None,
    micro_batch: int | None = None,
    force: bool = False,
    tensorboard: bool = False,
    watch: Watch,
) -> Trained | None:
    """Train an architecture, judge it on the test split, write it as a folder.

    The folder has a row for every epoch in curve.csv, brought up to date with every checkpoint. A training that was
    interrupted goes on from the checkpoint in its folder; one that is finished there is not done again.

    Args:
        architecture: what to train.
        data: reference of the data set.
        recipe: how to train.
        folder: where to write.
        seed: of everything random.
        place: the device, and the part of several processes.
        start: weights to begin with; None for fresh ones.
        micro_batch: images per forward pass and process; None for the whole batch, or, where there is one process,
            the largest half, quarter or eighth of it that the memory is enough for.
        force: write over what is in the folder, also where it is something else.
        tensorboard: write the curve for TensorBoard, too, in a folder of the folder.
        watch: told after every step how far it is.

    Returns:
        The result; None in all processes but the first.

    Raises:
        DataError: the data cannot be used.
        Diverged: the loss became infinite or NaN.
        TooLittleMemory: not even a small part of a batch fits.
        UserError: the folder cannot be written, or holds something else; or TensorBoard is asked for and absent.
    """
    if tensorboard:
        require_tensorboard()
    require_room(folder, force=force)
    require_folder(folder)
    images = load_data(data, resolution=recipe.stored_resolution, decoders=place.cores)
    images = images if start is None else start.normalised_as(images)
    key = EvaluationKey(
        architecture=architecture.id if start is None else f"{architecture.id}-from-{start.digest}",
        recipe=recipe.id,
        data=images.fingerprint,
        seed=seed,
        rung=len(recipe.rungs),
    )
    done = _finished(folder, key)
    if done is not None:
        return done if place.is_first else None
    checkpoint = folder / CHECKPOINT
    if is_used(folder) and not checkpoint.exists() and not force:
        raise held(folder, "other weights")
    while True:
        network = make_model(architecture, images.task, recipe, seed=seed)
        if start is not None:
            start.fill(network)
        training = Training(
            network, images, recipe, seed=seed, device=place.device, shard=place.shard, micro_batch=micro_batch
        )
        spent, rows = _restore(training, checkpoint, key, force=force)
        curve = _Curve(training, images, rows, folder if place.is_first else None, tensorboard=tensorboard)
        pace = _Pace(training, spent, curve, checkpoint if place.is_first else None, key, watch)
        try:
            training.run(after_step=pace.after_step)
            break
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        micro_batch = _smaller(micro_batch, recipe, place)
        del network, training, curve, pace  # and with them what they have on the device
        release_memory(place.device)
    training.keep_average()
    place.wait()
    return _written(training, architecture, images, data, folder, key, pace) if place.is_first else None


def require_room(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds something, but no training: before anything is read for one.

    Raises:
        UserError: it does.
    """
    if is_used(folder) and not force and not any((folder / name).is_file() for name in (CHECKPOINT, ABOUT)):
        raise held(folder, "something else")


class TooLittleMemory(NasError):
    """Not even a small part of a batch fits into the memory."""


def _smaller(micro_batch: int | None, recipe: Recipe, place: Place) -> int:
    """Half of what did not fit; raises TooLittleMemory where that is no way out."""
    tried = micro_batch or -(-recipe.batch // place.shard.world)
    half = (tried + 1) // 2
    if place.shard.world > 1:  # the others know nothing of it and would wait for this process's gradients
        raise TooLittleMemory(f"no memory for {tried} images at a time; run the same command with --micro-batch {half}")
    if tried == 1 or recipe.batch >= _SMALLEST_PART * tried:
        raise TooLittleMemory(
            f"no memory for even {tried} images at a time; take a smaller --resolution, or a recipe with "
            "activation_checkpointing: true"
        )
    return half


class _Curve:
    """Judges a training at the end of every epoch, and writes how it went."""

    def __init__(
        self,
        training: Training,
        images: DataSet,
        rows: Sequence[EpochRow],
        folder: Path | None,
        *,
        tensorboard: bool,
    ) -> None:
        """Go on after `rows`; without a folder, in all processes but the first, nothing is judged or written."""
        self.rows = list(rows)
        self._training, self._images, self._folder = training, images, folder
        self._tensorboard = TensorBoard(folder / TENSORBOARD) if tensorboard and folder is not None else None

    def after_step(self, seconds: float) -> float:
        """Add a row where an epoch has ended after `seconds` of training; returns the seconds that this took."""
        training = self._training
        epoch = training.plan.epoch_of(training.step - 1)
        if self._folder is None or training.step < epoch.first_step + epoch.steps:
            return 0.0
        begun = time.monotonic()
        device = next(training.model.parameters()).device
        with training.averaged():
            judged = validate(training.model, self._images, training.recipe, device=device)
        self.rows.append(
            EpochRow(
                epoch=epoch.number + 1,
                train_loss=training.curve[epoch.number],
                validation_loss=judged.loss,
                validation_accuracy=judged.accuracy,
                learning_rate=training.plan.learning_rate(training.step - 1),
                images=training.images,
                seconds=seconds,
            )
        )
        return time.monotonic() - begun

    def write(self) -> None:
        """Bring the files up to date; raises UserError where they cannot be written."""
        if self._folder is None:
            return
        try:
            write_curve(self.rows, self._folder / CURVE)
            if self._tensorboard is not None:
                self._tensorboard.update(self.rows)
        except OSError as error:
            raise UserError(f"{self._folder / CURVE}: cannot be written: {error.strerror or error}") from None


class _Pace:
    """Measures and tells the pace of a training, and saves it and its curve now and then."""

    def __init__(
        self,
        training: Training,
        spent: float,
        curve: _Curve,
        checkpoint: Path | None,
        key: EvaluationKey,
        watch: Watch,
    ) -> None:
        self._training, self._checkpoint, self._key, self._watch = training, checkpoint, key, watch
        self.curve = curve
        self._before = spent
        self._begun = self._saved = time.monotonic()
        self._first = training.images
        self._marks: list[tuple[float, int]] = [(self._begun, training.images)]

    @property
    def seconds(self) -> float:
        """Of training, those of earlier runs included."""
        return self._before + time.monotonic() - self._begun

    @property
    def images_per_second(self) -> float:
        """Of this run."""
        return (self._training.images - self._first) / max(1e-9, time.monotonic() - self._begun)

    def after_step(self) -> None:
        training, now = self._training, time.monotonic()
        self._marks = [*self._marks[-_PACE_OVER:], (now, training.images)]
        (then, images), epochs = self._marks[0], training.plan.epochs
        self._watch(
            Moment(
                fraction=training.step / training.plan.steps,
                epoch=training.plan.epoch_of(training.step - 1).number + 1,
                epochs=len(epochs),
                images_per_second=(training.images - images) / max(1e-9, now - then),
            )
        )
        judging = self.curve.after_step(self.seconds)
        self._begun += judging  # which is no part of the pace
        self._marks = [(then + judging, images) for then, images in self._marks]
        if self._checkpoint is not None and now - self._saved >= _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Put the training aside."""
        rows = [asdict(row) for row in self.curve.rows]
        state = {**self._training.state_dict(), "seconds": self.seconds, "rows": rows}
        try:
            write_checkpoint(str(self._checkpoint), self._key, state)
        except OSError as error:
            raise UserError(
                f"{self._checkpoint}: cannot be written: {error.strerror or error}; free some room and run the same "
                "command again, which goes on from the last checkpoint"
            ) from None
        self.curve.write()  # after the checkpoint: in a folder without one it would be something else's
        self._saved = time.monotonic()


def _restore(training: Training, checkpoint: Path, key: EvaluationKey, *, force: bool) -> tuple[float, list[EpochRow]]:
    """Go on from a checkpoint, if there is one; returns the seconds that were spent before, and the curve so far."""
    if not checkpoint.exists():
        return 0.0, []
    state = read_checkpoint(str(checkpoint), key)
    if state is None and force:
        return 0.0, []
    if state is None:
        raise UserError(
            f"{checkpoint}: belongs to another training (architecture, recipe, data or seed differ), or is damaged; "
            "name another folder with -o, or say --force to begin anew"
        )
    training.load_state_dict(state)
    return float(state["seconds"]), [EpochRow(**row) for row in state.get("rows", ())]


def _finished(folder: Path, key: EvaluationKey) -> Trained | None:
    """The result of the same training, if it is in the folder already."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["training"] == asdict(key) and (folder / WEIGHTS).is_file():
            return Trained(**{**about["trained"], "files": tuple(about["trained"]["files"]),
                              "curve": tuple(about["trained"]["curve"]), "folder": str(folder)})  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return None


def _written(
    training: Training,
    architecture: Architecture,
    images: DataSet,
    data: str,
    folder: Path,
    key: EvaluationKey,
    pace: _Pace,
) -> Trained:
    """Judge a finished training and write its folder."""
    network, recipe = training.model, training.recipe
    seconds, images_per_second = pace.seconds, pace.images_per_second
    device = next(network.parameters()).device
    checked = validate(network, images, recipe, device=device)
    interval = wilson(checked.accuracy, checked.images)
    trained = Trained(
        id=architecture.id,
        folder=str(folder),
        files=("architecture.yaml", WEIGHTS, ABOUT, CURVE),
        seed=key.seed,
        validation={
            "accuracy": checked.accuracy, "low": interval.low, "high": interval.high, "images": checked.images,
        },
        test=measure_test(network, images, recipe, device=str(device)),
        curve=training.curve,
        images_per_second=images_per_second,
        seconds=seconds,
    )  # fmt: skip
    results = {
        "data": data,
        "recipe": recipe.to_dict(),
        "seed": key.seed,
        "validation_accuracy": checked.accuracy,
        "test": trained.test,
        "training": asdict(key),
        "trained": asdict(trained),
    }
    write_bundle(folder, architecture, network.cpu(), provenance(images, results))
    pace.curve.write()
    remove_checkpoint(str(folder / CHECKPOINT))
    return trained
