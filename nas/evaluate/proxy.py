"""The proxy: a candidate itself, trained at low resolution for few epochs, judged on the validation split."""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
import torch._dynamo

from nas.architecture import Architecture
from nas.data import DataSet, load_data
from nas.errors import DataError
from nas.records import Evaluation, Failure, Job
from nas.train.failures import Diverged, is_out_of_memory
from nas.train.loop import train
from nas.train.model import make_model
from nas.train.recipe import Recipe
from nas.train.validation import validate
from nas.train.weights import save_weights

# `torch._dynamo` is imported by the first optimizer of a process, which takes 2 s: with it at the top, workers that are
# forked after this module's import share it.


def evaluate(
    job: Job, *, report: Callable[[float], None], device: str = "cpu", cache: Path | None = None
) -> Evaluation:
    """Do a job: load, build, train, validate, perhaps keep the weights. This is the worker's entry point.

    Whatever goes wrong becomes a typed failure in the evaluation; only KeyboardInterrupt and SystemExit come out.

    Args:
        job: what to train on what; its key names the data set's fingerprint, and other data is refused.
        report: told after every step which share of the training is done, in (0, 1].
        device: where to train, `cpu` or `cuda`.
        cache: folder of the resized images; None for the default one.
    """
    begun = time.perf_counter()
    worker = f"{socket.gethostname()}:{os.getpid()}"
    try:
        evaluation = _train_and_validate(job, report, torch.device(device), cache)
    except Exception as error:
        evaluation = _failed(job, error)
    seconds = time.perf_counter() - begun
    return replace(evaluation, seconds=seconds, worker=worker, peak_memory=_peak_memory(torch.device(device)))


def _train_and_validate(
    job: Job, report: Callable[[float], None], device: torch.device, cache: Path | None
) -> Evaluation:
    recipe = Recipe.from_dict(job.recipe)
    data = _data(job.data, recipe.resolution, cache, job.key.data)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    model = make_model(Architecture.from_dict(job.architecture), data.task, recipe, seed=job.key.seed)
    result = train(model, data, recipe, seed=job.key.seed, device=device, report=report)
    validation = validate(model, data, recipe, device=device)
    kept = job.weights
    if kept is not None:
        about = {"architecture": job.key.architecture, "recipe": job.key.recipe, "data": job.key.data}
        try:
            save_weights(model, Path(kept), about=about)
        except OSError:  # a full disk is no reason to lose the accuracy; an export trains again
            kept = None
    return Evaluation(
        key=job.key,
        accuracy=validation.accuracy,
        loss=validation.loss,
        curve=result.curve,
        images=result.images,
        train_seconds=result.train_seconds,
        weights=kept,
    )


@lru_cache(maxsize=1)
def _data(reference: str, resolution: int, cache: Path | None, fingerprint: str) -> DataSet:
    """The mapped arrays, kept for the worker's next job: jobs of a study differ in everything but these."""
    return load_data(reference, resolution=resolution, cache=cache, expected=fingerprint)


def _failed(job: Job, error: Exception) -> Evaluation:
    return Evaluation(
        key=job.key,
        failure=_kind(error),
        message=str(error) or type(error).__name__,
        traceback="".join(traceback.format_exception(error)),
    )


def _kind(error: Exception) -> Failure:
    if is_out_of_memory(error):
        return Failure.OUT_OF_MEMORY
    if isinstance(error, Diverged):
        return Failure.DIVERGED
    if isinstance(error, DataError):
        return Failure.DATA
    return Failure.BUG


def _peak_memory(device: torch.device) -> int:
    """Bytes: what torch took of an accelerator, or the most the process has ever had resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
