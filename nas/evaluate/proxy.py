"""The proxy: a candidate itself, trained at low resolution for few epochs, judged on the validation split."""

from __future__ import annotations

import os
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from nas.architecture import Architecture
from nas.data import DataSet, load_data
from nas.errors import DataError
from nas.measure.energy import EnergyMeter
from nas.measure.memory import PeakMemory
from nas.records import Evaluation, Job
from nas.train.failures import failure_of, within_memory
from nas.train.loop import Training
from nas.train.model import make_model
from nas.train.recipe import Recipe
from nas.train.saving import SAVE_EVERY, Saver
from nas.train.validation import validate
from nas.train.weights import save_weights


class Phases:
    """Seconds by phase; one inside another counts as its own alone."""

    def __init__(self) -> None:
        """Nothing measured yet."""
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Add the time of the block to a phase."""
        begun = time.perf_counter()
        self._open.append(name)
        try:
            yield
        finally:
            self._open.pop()
            self._add(name, time.perf_counter() - begun)

    def _add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        for outer in self._open[-1:]:
            self.seconds[outer] = self.seconds.get(outer, 0.0) - seconds


def evaluate(
    job: Job,
    *,
    report: Callable[[float], None],
    device: str = "cpu",
    cache: Path | None = None,
    save_every: float = SAVE_EVERY,
) -> Evaluation:
    """Do a job: load, build, train to its rung, validate, perhaps keep the weights. This is the worker's entry point.

    Whatever goes wrong becomes a typed failure in the evaluation; only KeyboardInterrupt and SystemExit come out. Where
    the memory is too small for a batch, the training begins anew with half of it at a time, once.

    Args:
        job: what to train on what; its key names the data set's fingerprint, and other data is refused.
        report: told which share of the training is done, in [0, 1]: at once, while it reads images, before the first
            step, after every one, and while it validates.
        device: where to train, `cpu` or `cuda`.
        cache: folder of the resized images; None for the default one.
        save_every: seconds between checkpoints, where the job has one.
    """
    begun = time.perf_counter()
    place = torch.device(device)
    energy = EnergyMeter(place.type, place.index or 0)
    memory = PeakMemory(place)
    phases = Phases()
    try:
        evaluation = _attempt(job, report, place, cache, save_every, phases)
    except Exception as error:
        evaluation = _failed(job, error)
    return replace(
        evaluation,
        seconds=time.perf_counter() - begun,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        peak_memory=memory.bytes(),
        phases=phases.seconds,
        energy=energy.joules(),
    )


def _attempt(
    job: Job,
    report: Callable[[float], None],
    device: torch.device,
    cache: Path | None,
    save_every: float,
    phases: Phases,
) -> Evaluation:
    """Train and validate; with half the batch at a time if the whole does not fit."""
    recipe = Recipe.from_dict(job.recipe)
    report(0.0)
    with phases.measured("data"):
        data = _DATA.get(job.data, recipe.stored_resolution, cache, job.key.fingerprint, alive=lambda: report(0.0))

    def attempt(micro_batch: int | None) -> Evaluation:
        if "train" in phases.seconds:
            phases.seconds["failed attempt"] = phases.seconds.pop("train")
        return _train_and_validate(job, recipe, data, report, device, save_every, phases, micro_batch=micro_batch)

    return within_memory(attempt, batch=recipe.batch, halvings=1, device=device)


def _train_and_validate(
    job: Job,
    recipe: Recipe,
    data: DataSet,
    report: Callable[[float], None],
    device: torch.device,
    save_every: float,
    phases: Phases,
    *,
    micro_batch: int | None,
) -> Evaluation:
    seed, fidelity = job.key.seed, recipe.fidelities[job.key.rung]
    with phases.measured("build"):
        model = make_model(Architecture.from_dict(job.architecture), data.task, recipe, seed=seed)
        training = Training(model, data, recipe, seed=seed, device=device, micro_batch=micro_batch)
    saver = Saver(training=training, key=job.key, place=job.checkpoint, every=save_every)
    if saver.is_on:
        with suppress(OSError), phases.measured("restore"):
            saver.restore(fidelity.rung)
    restored = training.images
    report(0.0)

    def save() -> None:
        with phases.measured("save"), suppress(OSError):  # which costs only the head start of the next rung
            saver.save()

    with phases.measured("train"):
        training.run(fidelity.rung, report=report, after_step=lambda: save() if saver.is_due else None)
    if saver.is_due or (saver.is_on and training.step < training.plan.steps):
        save()  # for the next rung; after the last one only where a lost validation would cost much
    with training.averaged():
        with phases.measured("validate"):
            alive = partial(report, 1.0)
            result = validate(model, data, recipe, device=device, resolution=fidelity.resolution, after_batch=alive)
            test = None
            if job.test:
                test = validate(model, data, recipe, split="test", device=device, after_batch=alive)
        kept = _kept_weights(job, training)
    return Evaluation(
        key=job.key,
        accuracy=result.accuracy,
        loss=result.loss,
        test_accuracy=None if test is None else test.accuracy,
        curve=training.curve,
        images=training.images,
        train_seconds=phases.seconds["train"],
        images_per_second=(training.images - restored) / phases.seconds["train"],
        weights=kept,
        micro_batch=training.micro_batch,
    )


def _kept_weights(job: Job, training: Training) -> str | None:
    if job.weights is None:
        return None
    about = {"architecture": job.key.architecture_id, "recipe": job.key.recipe, "data": job.key.fingerprint}
    try:
        save_weights(training.model, Path(job.weights), about=about)
    except OSError:  # a full disk is no reason to lose the accuracy; an export trains again
        return None
    return job.weights


class _LatestData:
    """The mapped arrays of the latest job, kept for the worker's next one: jobs of a study differ in all but these."""

    def __init__(self) -> None:
        """None yet."""
        self._kept: tuple[tuple[str, int, Path | None, str], DataSet] | None = None

    def get(
        self, reference: str, resolution: int, cache: Path | None, fingerprint: str, *, alive: Callable[[], None]
    ) -> DataSet:
        """Those of a data set; `alive` is called while images are read."""
        wanted = reference, resolution, cache, fingerprint
        if self._kept is not None and self._kept[0] == wanted:
            return self._kept[1]
        self._kept = None  # two at a time might not fit
        try:
            data = load_data(
                reference, resolution=resolution, cache=cache, expected=fingerprint, progress=lambda *_: alive()
            )
        except DataError as error:
            raise DataError(f"{error} (on the machine {socket.gethostname()})") from error
        self._kept = wanted, data
        return data


_DATA = _LatestData()


def _failed(job: Job, error: Exception) -> Evaluation:
    return Evaluation(
        key=job.key,
        failure=failure_of(error),
        message=str(error) or type(error).__name__,
        traceback="".join(traceback.format_exception(error)),
    )
