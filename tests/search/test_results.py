from __future__ import annotations

import pytest

from nas.records import Evaluation, EvaluationKey, Failure, TrialRecord, TrialState
from nas.search.objectives import Objectives
from nas.search.results import Results


def trial(
    name: str, accuracy: float | None, flops: float, state: TrialState = TrialState.DONE, seconds: float = 2.0
) -> TrialRecord:
    key = EvaluationKey(architecture_id=name, recipe="r", fingerprint="d", seed=0)
    failure = Failure.BUG if accuracy is None else None
    evaluation = Evaluation(key=key, accuracy=accuracy, failure=failure, seconds=seconds)
    return TrialRecord(
        number=0, architecture_id=name, choices={}, cost={"flops": flops}, overrun={},
        state=state if accuracy is not None else TrialState.FAILED, evaluation=evaluation,
    )  # fmt: skip


@pytest.fixture
def standing() -> Results:
    return Results(Objectives(), reference={"flops": 100.0})


def count(standing: Results, record: TrialRecord) -> list[str]:
    return standing.count(record, is_fresh=record.state is not TrialState.REUSED)


def test_front_best_and_counts(standing: Results) -> None:
    assert count(standing, trial("a", 0.5, 10)) == []
    assert count(standing, trial("b", 0.6, 20)) == []
    assert count(standing, trial("worse", 0.4, 15)) == ["worse"]
    assert count(standing, trial("better", 0.7, 9)) == ["a", "b"]
    assert count(standing, trial("failed", None, 1)) == []
    assert count(standing, trial("reused", 0.1, 1, TrialState.REUSED)) == []
    assert count(standing, trial("better", 0.7, 9, TrialState.REUSED)) == []  # once more
    assert standing.best is not None
    assert standing.best.architecture_id == "better"
    assert standing.counts == {TrialState.DONE: 4, TrialState.FAILED: 1, TrialState.REUSED: 2}
    assert standing.failures == {Failure.BUG: 1}
    assert standing.train_seconds == 10.0
    assert len(standing.known) == 6


def test_stagnation_counts_from_the_last_growth_that_matters(standing: Results) -> None:
    count(standing, trial("first", 0.5, 10))
    assert standing.stagnant == 0
    for name in "abc":
        count(standing, trial(name, 0.4, 50))
    assert standing.stagnant == 3
    count(standing, trial("hardly", 0.5001, 10))
    assert standing.stagnant == 4
    count(standing, trial("clearly", 0.6, 10))
    assert standing.stagnant == 0
