"""What a worker makes of somebody's own training: what it is told, and what becomes of what it returns or raises."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import nas
from nas.architecture import Architecture
from nas.errors import DataError
from nas.evaluate.function import Code, EvaluateFunction
from nas.evaluate.own import OwnJob, OwnTraining, Reporter, evaluate_by_function
from nas.records import Evaluation, EvaluationKey, Failure, Job
from nas.task import Task
from nas.train.failures import Diverged

FUNCTION = EvaluateFunction(
    reference="x:f", name="x:f", version="1", version_is="hash of its source", arguments={"lr": 0.5}
)
TASK = Task(resolution=32, classes=10, channels=3)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Evaluation]:
    """Evaluate by a function that is at hand."""
    form = nas.load_architecture("convnext_tiny").to_dict()

    def run(
        function: Callable[..., object],
        *,
        rung: int = 0,
        training: OwnTraining | None = None,
        told: list[float] | None = None,
    ) -> Evaluation:
        monkeypatch.setattr("nas.evaluate.own._loaded", lambda code: function)
        own = training or OwnTraining(function=FUNCTION)
        key = EvaluationKey(architecture_id="a", recipe=own.id(TASK), fingerprint="", seed=7, rung=rung)
        job = Job(
            id="0", key=key, architecture=form, recipe=own.recipe(TASK), data="", checkpoint=str(tmp_path / "kept")
        )
        heard = [] if told is None else told
        return evaluate_by_function(job, report=heard.append, function=FUNCTION, code=Code())

    return run


def test_it_is_told_what_is_asked(run: Callable[..., Evaluation], tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def score(architecture: Architecture, *, job: OwnJob, report: Reporter, lr: float) -> float:
        seen.update(architecture=architecture, job=job, lr=lr, there=job.folder.is_dir())
        return 0.25

    found = run(score, rung=1, training=OwnTraining(function=FUNCTION, epochs=9, rungs=(1, 3)))
    assert (found.accuracy, found.failure) == (0.25, None)
    assert isinstance(seen["architecture"], Architecture)
    assert seen["job"] == OwnJob(
        seed=7, rung=1, epochs=3, total_epochs=9, device="cpu", folder=tmp_path / "kept", task=TASK
    )
    assert (seen["lr"], seen["there"]) == (0.5, True)


@pytest.mark.parametrize("returned", [0.5, np.float32(0.5), torch.tensor(0.5), {"accuracy": 0.5}, np.array([0.5])[0]])
def test_a_number_or_a_dict_is_an_accuracy(run: Callable[..., Evaluation], returned: object) -> None:
    assert run(lambda *given, **named: returned).accuracy == 0.5


def test_loss_and_curve_are_kept(run: Callable[..., Evaluation]) -> None:
    found = run(lambda *given, **named: {"accuracy": 1, "loss": 0.3, "curve": [2, 1.5]})
    assert (found.accuracy, found.loss, found.curve) == (1.0, 0.3, (2.0, 1.5))


@pytest.mark.parametrize(
    ("returned", "failure", "said"),
    [
        (math.nan, Failure.DIVERGED, "NaN"),
        ({"accuracy": math.nan}, Failure.DIVERGED, "NaN"),
        (83.1, Failure.BUG, "divide percent by 100"),
        (-0.1, Failure.BUG, "share in [0, 1]"),
        (math.inf, Failure.BUG, "share in [0, 1]"),
        (None, Failure.BUG, "its accuracy is None"),
        (True, Failure.BUG, "its accuracy is True"),
        ("good", Failure.BUG, "its accuracy is 'good'"),
        ({"top1": 0.5}, Failure.BUG, "a dict with 'accuracy'"),
        ({"accuracy": 0.5, "f1": 0.1, "los": 2}, Failure.BUG, "f1, los would not be kept"),
        ({"accuracy": 0.5, "curve": 3}, Failure.BUG, "list of numbers"),
    ],
)
def test_what_is_no_accuracy_is_a_typed_failure(
    run: Callable[..., Evaluation], returned: object, failure: Failure, said: str
) -> None:
    found = run(lambda *given, **named: returned)
    assert (found.accuracy, found.failure) == (None, failure)
    assert said in found.message


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ValueError("no such thing"), Failure.BUG),
        (torch.OutOfMemoryError("CUDA out of memory"), Failure.OUT_OF_MEMORY),
        (MemoryError(), Failure.OUT_OF_MEMORY),
        (Diverged(3, math.inf), Failure.DIVERGED),
        (DataError("no images"), Failure.DATA),
    ],
)
def test_what_is_raised_is_a_typed_failure_with_its_traceback(
    run: Callable[..., Evaluation], error: Exception, failure: Failure
) -> None:
    def score(*given: object, **named: object) -> float:
        raise error

    found = run(score)
    assert (found.failure, found.accuracy) == (failure, None)
    assert type(error).__name__ in found.message
    assert "in score" in found.traceback


def test_epochs_and_fractions_are_progress(run: Callable[..., Evaluation]) -> None:
    told: list[float] = []

    def score(architecture: object, *, job: OwnJob, report: Reporter, lr: float) -> float:
        report(1)
        report(fraction=0.8)
        report(epoch=4, accuracy=0.3)
        return 0.4

    found = run(score, training=OwnTraining(function=FUNCTION, epochs=4), told=told)
    assert told == [0.25, 0.8, 1.0]
    assert found.accuracy == 0.4  # on the last rung it says itself when it is done


def test_an_accuracy_at_the_end_of_a_rung_ends_the_training_there(run: Callable[..., Evaluation]) -> None:
    reached: list[int] = []

    def score(architecture: object, *, job: OwnJob, report: Reporter, lr: float) -> float:
        for epoch in range(1, 10):
            reached.append(epoch)
            report(epoch, accuracy=epoch / 10)
        return 0.95

    training = OwnTraining(function=FUNCTION, epochs=9, rungs=(1, 3))
    assert [run(score, rung=rung, training=training).accuracy for rung in range(3)] == [0.1, 0.3, 0.95]
    assert len(reached) == 1 + 3 + 9


@pytest.mark.parametrize(("given", "said"), [({}, "epochs done"), ({"epoch": 1, "accuracy": 50}, "percent")])
def test_a_report_that_says_nothing_is_a_defect(
    run: Callable[..., Evaluation], given: dict[str, Any], said: str
) -> None:
    found = run(lambda architecture, *, job, report, lr: report(**given))
    assert found.failure is Failure.BUG
    assert said in found.message


def test_what_is_asked_is_part_of_the_mark() -> None:
    other = Task(resolution=16, classes=10, channels=3)
    trainings = [OwnTraining(function=FUNCTION, epochs=9, rungs=rungs) for rungs in ((), (1,), (1, 3))]
    assert (
        len({*(one.id(TASK) for one in trainings), trainings[0].id(other), OwnTraining(function=FUNCTION).id(TASK)})
        == 5
    )
    assert OwnTraining.from_dict(trainings[1].to_dict()) == trainings[1]
