"""A search in somebody else's tracker: a run for every candidate, whole, however often the search was interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nas.records import Evaluation, EvaluationKey, TrialRecord, TrialState
from nas.search.tracking import RunLog
from nas.train.trackers import TrackedRun


class Kept:
    """A tracker that keeps its runs in memory."""

    def __init__(self) -> None:
        self.runs: dict[str, tuple[TrackedRun, dict[int, Mapping[str, float]]]] = {}
        self.begun: list[str] = []

    def has(self, run: TrackedRun) -> bool:
        return run.name in self.runs and self.runs[run.name][0].mark == run.mark

    def begin(self, run: TrackedRun) -> Open:
        self.begun.append(run.name)
        self.runs[run.name] = (run, {})
        return Open(self.runs[run.name][1])


class Open:
    def __init__(self, epochs: dict[int, Mapping[str, float]]) -> None:
        self._epochs = epochs

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        self._epochs[epoch] = values

    def close(self) -> None:
        pass


def trial(architecture: str, rung: int, *, epochs: int, number: int = 0) -> TrialRecord:
    evaluation = Evaluation(
        key=EvaluationKey(architecture_id=architecture, recipe="r", fingerprint="d", seed=0, rung=rung),
        accuracy=0.5 + rung / 10,
        curve=tuple(2.0 / (1 + one) for one in range(epochs)),
    )
    return TrialRecord(
        number=number, architecture_id=architecture, choices={"kernel": 7}, cost={"flops": 12}, overrun={},
        state=TrialState.DONE, evaluation=evaluation,
    )  # fmt: skip


def test_a_candidate_is_one_run_that_grows_by_rungs() -> None:
    kept = Kept()
    log = RunLog("study", kept)
    log.add(trial("a", 0, epochs=1))
    log.add(trial("a", 0, epochs=1, number=3))  # another trial of the same
    log.publish()
    log.add(trial("a", 1, epochs=3))
    log.add(trial("b", 0, epochs=1))
    log.publish()
    log.publish()
    assert kept.begun == ["a", "a", "b"]
    run, epochs = kept.runs["a"]
    assert run.group == "study"
    assert run.facts == {"trial": 0, "flops": 12, "decisions.kernel": 7}
    assert epochs == {
        1: {"train_loss": 2.0, "validation_accuracy": 0.5},
        2: {"train_loss": 1.0},
        3: {"train_loss": pytest.approx(2 / 3), "validation_accuracy": 0.6},
    }


def test_what_an_earlier_run_wrote_is_not_written_again() -> None:
    kept = Kept()
    for _ in range(2):
        log = RunLog("study", kept)
        for record in (trial("a", 0, epochs=1), trial("a", 1, epochs=3), trial("b", 0, epochs=1)):
            log.add(record)
        log.publish()
    assert kept.begun == ["a", "b"]


def test_rungs_of_a_training_without_epochs_are_steps() -> None:
    kept = Kept()
    log = RunLog("study", kept)
    log.add(trial("a", 0, epochs=0))
    log.add(trial("a", 1, epochs=0))
    log.publish()
    assert kept.runs["a"][1] == {1: {"validation_accuracy": 0.5}, 2: {"validation_accuracy": 0.6}}


def test_a_tracker_that_fails_ends_nothing(tmp_path: Path) -> None:
    class Broken(Kept):
        def begin(self, run: TrackedRun) -> Open:
            raise OSError("no room")

    heard: list[str] = []
    log = RunLog("study", Broken(), notify=heard.append)
    for name in ("a", "b"):
        log.add(trial(name, 0, epochs=1))
        log.publish()
    assert heard == ["Broken: a run cannot be written (no room); the search goes on, and the ledger has the curves"]
