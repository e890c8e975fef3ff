from __future__ import annotations

from dataclasses import replace

import pytest

from nas.records import Evaluation, EvaluationKey, TrialRecord, TrialState
from nas.search.roster import Roster

KEY = EvaluationKey(architecture="a", recipe="r", data="d", seed=0)
QUEUED = TrialRecord(
    number=3, architecture="a", choices={"x": 1}, cost={"flops": 5}, overrun={}, state=TrialState.QUEUED
)


def test_a_trial_is_counted_in_its_state_alone_and_forgotten_once_it_is_over() -> None:
    roster = Roster()
    roster.put(QUEUED)
    roster.put(replace(QUEUED, attempts=1))
    assert roster[3].choices == {"x": 1}
    stopped = replace(QUEUED, state=TrialState.STOPPED, evaluation=Evaluation(key=KEY, accuracy=0.5))
    roster.put(stopped)
    assert roster[3] == replace(stopped, choices={})
    assert +roster.counts == {TrialState.STOPPED: 1}
    roster.put(replace(stopped, state=TrialState.DONE))
    assert +roster.counts == {TrialState.DONE: 1}
    with pytest.raises(KeyError):
        roster[3]
