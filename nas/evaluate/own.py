"""An evaluation by somebody's own training: the worker's end of `nas.evaluate.function`.

The function is told what is asked of it and says how far it is; what it returns is checked, and whatever goes wrong
becomes a typed failure with its traceback.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NoReturn, Self

import torch

from nas.architecture import Architecture
from nas.evaluate.function import Code, EvaluateFunction
from nas.measure.memory import PeakMemory
from nas.records import OWN, Evaluation, Failure, Job, Plain
from nas.task import Task
from nas.train.failures import failure_of

_RETURNED = ("accuracy", "loss", "curve")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTraining:
    """How the candidates of a study are trained by somebody's own function.

    Attributes:
        function: which one.
        epochs: of a whole training; None where the function decides.
        rungs: epochs before that, after which most trainings stop.
    """

    function: EvaluateFunction
    epochs: int | None = None
    rungs: tuple[int, ...] = ()

    @property
    def stops(self) -> tuple[int | None, ...]:
        """Epochs at the end of every rung."""
        return (*self.rungs, self.epochs)

    def id(self, task: Task) -> str:
        """What marks the results of this training, and of no other."""
        what = [1, *self.function.identity, self.epochs, list(self.rungs), _task_dict(task)]
        return OWN + hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]

    def recipe(self, task: Task) -> dict[str, Plain]:
        """What a worker is told beside the architecture."""
        return {"stops": list(self.stops), "task": _task_dict(task)}

    def to_dict(self) -> dict[str, Plain]:
        """Plain data for the ledger."""
        return {**self.function.to_dict(), "epochs": self.epochs, "rungs": list(self.rungs)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Plain]) -> Self:
        """Inverse of `to_dict`."""
        function = {name: value for name, value in data.items() if name not in ("epochs", "rungs")}
        return cls(function=EvaluateFunction(**function), epochs=data["epochs"], rungs=tuple(data["rungs"]))


def _task_dict(task: Task) -> dict[str, int]:
    return {"resolution": task.resolution, "classes": task.classes, "channels": task.channels}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnJob:
    """What is asked of a training.

    Attributes:
        seed: of everything random.
        rung: fidelity, 0 being the cheapest.
        epochs: to have trained at its end, those of lower rungs included; None where nobody asked for a number.
        total_epochs: of a whole training, which schedules are to be made for; None likewise.
        device: where to train, `cpu` or `cuda`.
        folder: for a checkpoint. It is the same for all rungs of a training, there is still what was left in it after
            an interruption, and it is removed when the training has ended.
        task: resolution, classes and channels that the study prices for; the resolution is the network's own where the
            space chooses that, too.
    """

    seed: int
    rung: int
    epochs: int | None
    total_epochs: int | None
    device: str
    folder: Path
    task: Task

    @property
    def is_last_rung(self) -> bool:
        """Whether nothing is trained after this one."""
        return self.epochs == self.total_epochs


@dataclass(slots=True)
class Reporter:
    """What a training calls now and then, so that it is seen to be alive and how far it is."""

    job: OwnJob
    tell: Callable[[float], None]
    fraction: float = 0.0

    def __call__(
        self, epoch: float | None = None, *, accuracy: float | None = None, fraction: float | None = None
    ) -> None:
        """Say how far the training is.

        Args:
            epoch: epochs done, those of lower rungs included.
            accuracy: so far, in [0, 1]. Below the last rung, one at the end of the rung (`job.epochs`) is the result:
                the training ends with this call, which does not return.
            fraction: of the job that is done, in [0, 1], where epochs do not say it.

        Raises:
            TypeError, ValueError: neither epoch nor fraction is given, or an accuracy is none.
        """
        if epoch is None and fraction is None:
            raise TypeError("report takes the epochs done, as in report(3), or report(fraction=0.3)")
        if fraction is None and self.job.epochs is not None:
            fraction = float(epoch or 0.0) / self.job.epochs
        self.fraction = self.fraction if fraction is None else float(fraction)
        self.tell(self.fraction)
        if accuracy is not None:
            value = checked_accuracy(accuracy)
            if not self.job.is_last_rung and epoch is not None and epoch >= (self.job.epochs or math.inf):
                raise _RungReached(value)


class _RungReached(BaseException):
    """Ends a training at its rung; no `except Exception` of somebody's holds it up."""

    def __init__(self, accuracy: float) -> None:
        super().__init__("the training has reached the end of its rung")
        self.accuracy = accuracy


def evaluate_by_function(
    job: Job, *, report: Callable[[float], None], function: EvaluateFunction, code: Code, device: str = "cpu"
) -> Evaluation:
    """Do a job by somebody's function. This is the worker's entry point, like `nas.evaluate.proxy.evaluate`.

    Args:
        job: what to train; its recipe is `OwnTraining.recipe`'s.
        report: told which share of the job is done, in [0, 1].
        function: what to call.
        code: how it is got at.
        device: where to train, `cpu` or `cuda`.
    """
    begun = time.perf_counter()
    memory = PeakMemory(torch.device(device))
    try:
        evaluation = _result(job, _called(job, report, function, code, device))
    except Exception as error:
        evaluation = _failed(job, error)
    seconds = time.perf_counter() - begun
    return replace(evaluation, seconds=seconds, train_seconds=seconds, peak_memory=memory.bytes())


def _called(job: Job, report: Callable[[float], None], function: EvaluateFunction, code: Code, device: str) -> object:
    architecture, stops = Architecture.from_dict(job.architecture), job.recipe["stops"]
    folder = Path(str(job.checkpoint))
    folder.mkdir(parents=True, exist_ok=True)
    asked = OwnJob(
        seed=job.key.seed,
        rung=job.key.rung,
        epochs=stops[job.key.rung],
        total_epochs=stops[-1],
        device=device,
        folder=folder,
        task=architecture.task_of(Task(**job.recipe["task"])),
    )
    call = _loaded(code)
    try:
        return call(architecture, job=asked, report=Reporter(asked, report), **function.arguments)
    except _RungReached as reached:
        return reached.accuracy


@lru_cache(maxsize=1)
def _loaded(code: Code) -> Callable[..., object]:
    """The function, kept for the worker's next job."""
    return code.load()


def _result(job: Job, returned: object) -> Evaluation:
    """What was returned as an evaluation; raises where it is none."""
    parts = returned if isinstance(returned, Mapping) else {"accuracy": returned}
    if "accuracy" not in parts:
        raise ValueError(f"a training returns its accuracy, or a dict with 'accuracy'; got one with {list(parts)}")
    unknown = [str(name) for name in parts if name not in _RETURNED]
    if unknown:
        raise ValueError(
            f"a training returns {', '.join(_RETURNED)}; {', '.join(unknown)} would not be kept: leave it out"
        )
    accuracy = _number(parts["accuracy"], "accuracy")
    if math.isnan(accuracy):
        return Evaluation(key=job.key, failure=Failure.DIVERGED, message="the training returned NaN as its accuracy")
    return Evaluation(
        key=job.key,
        accuracy=checked_accuracy(accuracy),
        loss=None if parts.get("loss") is None else _number(parts["loss"], "loss"),
        curve=tuple(_number(one, "curve") for one in _several(parts.get("curve", ()))),
    )


def checked_accuracy(value: object) -> float:
    """A share in [0, 1]; raises TypeError for what is no number and ValueError for another one."""
    accuracy = _number(value, "accuracy")
    if not 0 <= accuracy <= 1 and not math.isnan(accuracy):
        raise ValueError(f"an accuracy is a share in [0, 1], got {accuracy:g}; divide percent by 100")
    return accuracy


def _number(value: object, what: str) -> float:
    """A number of Python, numpy or torch."""
    if value is None or isinstance(value, bool | str | bytes):
        _refuse(value, what)
    try:
        return float(value)  # type: ignore[arg-type]  # an object that knows
    except (TypeError, ValueError, RuntimeError):
        _refuse(value, what)


def _refuse(value: object, what: str) -> NoReturn:
    raise TypeError(f"a training returns numbers; its {what} is {value!r:.80}")


def _several(values: object) -> list[object]:
    if not isinstance(values, list | tuple):
        raise TypeError(f"the curve of a training is a list of numbers, not {values!r:.80}")
    return list(values)


def _failed(job: Job, error: Exception) -> Evaluation:
    return Evaluation(
        key=job.key,
        failure=failure_of(error),
        message=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__,
        traceback="".join(traceback.format_exception(error)),
    )
