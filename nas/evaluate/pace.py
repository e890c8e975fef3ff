"""How long a proxy will take, from the first few of its real steps."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from nas.architecture import Architecture
from nas.data import DataSet
from nas.train.loop import train
from nas.train.model import make_model
from nas.train.plan import plan_training
from nas.train.process import one_thread
from nas.train.recipe import Recipe

_STEPS = 4  # timed after the first, which pays for allocations
_FORWARD = 1 / 3  # of a training step: a backward pass costs about two forward ones


class _Enough(Exception):
    """Ends a training whose pace is known."""


def proxy_seconds(architecture: Architecture, data: DataSet, recipe: Recipe, *, device: str) -> float:
    """Expected seconds of one proxy training with its validation, on one thread as a worker has it."""
    begun = time.perf_counter()
    network = make_model(architecture, data.task, recipe, seed=0)
    building = time.perf_counter() - begun
    marks: list[tuple[float, float]] = []

    def watch(fraction: float) -> None:
        marks.append((time.perf_counter(), fraction))
        if len(marks) > _STEPS:
            raise _Enough

    with suppress(_Enough), one_thread():
        train(network, data, recipe, seed=0, device=device, report=watch)
    (first, done_first), (last, done_last) = marks[0], marks[-1]
    if done_last == done_first:  # a training of one step
        return building + 2 * (first - begun)
    training = (last - first) / (done_last - done_first)
    images = plan_training(recipe, data).images_until(sys.maxsize)
    return building + training * (1 + _FORWARD * len(data.validation) / images)
