from __future__ import annotations

from dataclasses import replace

import pytest

from nas.records import Evaluation, EvaluationKey, TrialRecord, TrialState
from nas.search.trials import OpenTrials, UnderWay

KEY = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=0)
QUEUED = TrialRecord(
    number=3, architecture_id="a", choices={"x": 1}, cost={"flops": 5}, overrun={}, state=TrialState.QUEUED
)


def trial(number: int, architecture: str) -> TrialRecord:
    return TrialRecord(
        number=number, architecture_id=architecture, choices={}, cost={}, overrun={}, state=TrialState.QUEUED
    )


def test_no_candidate_is_trained_twice_at_a_time() -> None:
    under_way = UnderWay()
    assert under_way.enter(trial(0, "a"))
    assert under_way.enter(trial(1, "b"))
    assert not under_way.enter(trial(2, "a"))
    assert under_way.new == 2
    assert under_way.leave(trial(0, "a")) == [2]
    assert under_way.leave(trial(1, "b")) == []
    assert under_way.new == 0
    assert not under_way
    assert under_way.enter(trial(3, "a"))


def test_a_trial_is_counted_in_its_state_alone_and_forgotten_once_it_is_over() -> None:
    trials = OpenTrials()
    trials.put(QUEUED)
    trials.put(replace(QUEUED, attempts=1))
    assert trials[3].choices == {"x": 1}
    stopped = replace(QUEUED, state=TrialState.STOPPED, evaluation=Evaluation(key=KEY, accuracy=0.5))
    trials.put(stopped)
    assert trials[3] == replace(stopped, choices={})
    assert +trials.counts == {TrialState.STOPPED: 1}
    trials.put(replace(stopped, state=TrialState.DONE))
    assert +trials.counts == {TrialState.DONE: 1}
    with pytest.raises(KeyError):
        trials[3]
