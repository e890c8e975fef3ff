"""A training for as long as its recipe says: watched, judged after every epoch, and put aside now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import nn

from nas.data import DataSet
from nas.errors import UserError, system_reason
from nas.records import EvaluationKey
from nas.train.curve import EpochRow, write_curve
from nas.train.distributed import Place
from nas.train.failures import TooLittleMemory, within_memory
from nas.train.loop import Training
from nas.train.recipe import Recipe
from nas.train.saving import SAVE_EVERY, Saver
from nas.train.trackers import OpenRun
from nas.train.validation import validate

CHECKPOINT, CURVE = "training.ckpt", "curve.csv"
_HALVINGS = 6  # of a batch, until the memory is enough for it
_PACE_OVER = 20  # steps that the pace is measured over


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
class FullTraining:
    """A training that has reached its end.

    Attributes:
        training: with the weights to judge.
        curve: how it went; its last rows are to be written once the result is.
        images_per_second: of the training steps; of the last run, where it was interrupted.
        seconds: of the training steps, interruptions left out.
    """

    training: Training
    curve: Curve
    images_per_second: float
    seconds: float


def train_in_full(
    make: Callable[[], nn.Module],
    images: DataSet,
    recipe: Recipe,
    folder: Path,
    key: EvaluationKey,
    *,
    place: Place,
    micro_batch: int | None = None,
    force: bool = False,
    tracked: Sequence[Callable[[], OpenRun]] = (),
    save_every: float = SAVE_EVERY,
    watch: Watch,
) -> FullTraining:
    """Train to the end of a recipe, or go on with what was begun in a folder.

    The folder has a row for every epoch in curve.csv, brought up to date with every checkpoint.

    Args:
        make: builds the network as it is before the first step.
        images: to train on and to judge by.
        recipe: how to train.
        folder: of the curve and the checkpoint; it exists.
        key: which training it is; another one's checkpoint is not gone on with.
        place: the device, and the part of several processes.
        micro_batch: images per forward pass and process; None for the whole batch, or, where there is one process,
            the half, quarter, ... 64th of it that the memory is enough for.
        force: begin anew where the checkpoint is another training's.
        tracked: begin the run of this training in other people's trackers.
        save_every: seconds between checkpoints.
        watch: told after every step how far it is.

    Raises:
        Diverged: the loss became infinite or NaN.
        TooLittleMemory: not even a small part of a batch fits.
        UserError: the folder cannot be written, or its checkpoint is another training's.
    """

    def attempt(micro_batch: int | None) -> FullTraining:
        training = Training(
            make(), images, recipe, seed=key.seed, device=place.device, shard=place.shard, micro_batch=micro_batch
        )
        saver = Saver(
            training=training, key=key, place=str(folder / CHECKPOINT), every=save_every, is_on=place.is_first
        )
        spent, rows = _taken_up(saver, force=force)
        curve = Curve(training, images, rows, folder if place.is_first else None, tracked)
        course = _Course(training, spent, curve, saver, watch)
        try:
            training.run(after_step=course.after_step)
        except BaseException:
            curve.close()
            raise
        done = FullTraining(
            training=training, curve=curve, images_per_second=course.images_per_second, seconds=course.seconds
        )
        training.keep_average()
        return done

    world = place.shard.world
    try:
        return within_memory(
            attempt,
            batch=-(-recipe.batch // world),
            halvings=_HALVINGS if world == 1 else 0,
            device=place.device,
            micro_batch=micro_batch,
        )
    except TooLittleMemory as error:
        if world == 1:
            raise
        # The other processes know nothing of it and would wait for this one's gradients.
        smaller = f"run the same command with --micro-batch {(error.images + 1) // 2}"
        raise TooLittleMemory(error.images, smaller) from error


def _taken_up(saver: Saver, *, force: bool) -> tuple[float, list[EpochRow]]:
    """Go on from a checkpoint, if there is one; returns the seconds that were spent before, and the curve so far."""
    state = saver.restore()
    if state is not None:
        return float(state["seconds"]), [EpochRow(**row) for row in state.get("rows", ())]
    if Path(str(saver.place)).exists() and not force:
        raise UserError(
            f"{saver.place}: belongs to another training (architecture, recipe, data or seed differ), or is damaged; "
            "name another folder with -o, or say --force to begin anew"
        )
    return 0.0, []


class Curve:
    """Judges a training at the end of every epoch, and writes how it went."""

    def __init__(
        self,
        training: Training,
        images: DataSet,
        rows: Sequence[EpochRow],
        folder: Path | None,
        tracked: Sequence[Callable[[], OpenRun]],
    ) -> None:
        """Go on after `rows`; without a folder, in all processes but the first, nothing is judged or written."""
        self.rows = list(rows)
        self._training, self._images, self._folder = training, images, folder
        self._runs: list[OpenRun] = []
        self._logged = 0
        if folder is not None:
            with _tracking(folder):
                self._runs += [begin() for begin in tracked]

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
        except OSError as error:
            raise UserError(f"{self._folder / CURVE}: cannot be written: {system_reason(error)}") from None
        with _tracking(self._folder):
            self._log()

    def close(self) -> None:
        """Nothing more is coming in this run."""
        for run in self._runs:
            run.close()
        self._runs = []

    def _log(self) -> None:
        """Let trackers know the rows that they do not know yet."""
        for row in self.rows[self._logged :]:
            values = asdict(row)
            epoch = values.pop("epoch")
            for run in self._runs:
                run.log(epoch, values)
        self._logged = len(self.rows)


@contextmanager
def _tracking(folder: Path) -> Iterator[None]:
    """Say in one message what other people's trackers fail by."""
    try:
        yield
    except Exception as error:  # of a foreign library, of any kind
        raise UserError(
            f"{folder}: its curve cannot be written for a tracker ({error}); the same command without it goes on from "
            "the last checkpoint"
        ) from None


class _Course:
    """Measures and tells the pace of a training, and saves it and its curve now and then."""

    def __init__(self, training: Training, spent: float, curve: Curve, saver: Saver, watch: Watch) -> None:
        self._training, self._curve, self._saver, self._watch = training, curve, saver, watch
        self._before = spent
        self._begun = time.monotonic()
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
        judging = self._curve.after_step(self.seconds)
        self._begun += judging  # which is no part of the pace
        self._marks = [(then + judging, images) for then, images in self._marks]
        if self._saver.is_due:
            self._save()

    def _save(self) -> None:
        """Put the training aside, then its curve: a folder with a curve and no checkpoint is something else's."""
        try:
            self._saver.save(seconds=self.seconds, rows=[asdict(row) for row in self._curve.rows])
        except OSError as error:
            raise UserError(
                f"{self._saver.place}: cannot be written: {system_reason(error)}; a training goes on from its last "
                "checkpoint"
            ) from None
        self._curve.write()
