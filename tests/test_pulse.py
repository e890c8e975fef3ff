from __future__ import annotations

import json

from hypothesis import given, strategies as st

from nas.pulse import NodeState, Pulse, RungState, WorkerState
from nas.records import Failure, TrialState

WORDS = st.text(max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
STATES = st.builds(
    WorkerState, name=WORDS, job=WORDS, architecture_id=WORDS, rung=st.integers(0, 5), seconds=NUMBERS, fraction=NUMBERS
)
COUNTS = st.integers(0, 10**6)
PULSES = st.builds(
    Pulse,
    study=WORDS,
    trials=st.dictionaries(st.sampled_from(TrialState), COUNTS),
    failures=st.dictionaries(st.sampled_from(Failure), COUNTS),
    rungs=st.lists(st.builds(RungState, arrived=COUNTS, promoted=COUNTS, waiting=COUNTS), max_size=3).map(tuple),
    workers=st.lists(STATES, max_size=3).map(tuple),
    nodes=st.lists(st.builds(NodeState, name=WORDS, workers=COUNTS, busy=COUNTS), max_size=3).map(tuple),
    target=st.none() | COUNTS,
    best_accuracy=st.none() | st.floats(0, 1),
    stop=st.none() | WORDS,
)


@given(PULSES)
def test_pulse_survives_json(pulse: Pulse) -> None:
    assert Pulse.from_dict(json.loads(json.dumps(pulse.to_dict(), allow_nan=False))) == pulse


def test_busy_workers_come_by_the_time_they_took() -> None:
    states = [WorkerState(name="a:1"), *(WorkerState(name=f"b:{t}", job=str(t), seconds=t) for t in (3, 9, 5))]
    assert [worker.seconds for worker in Pulse(study="s", workers=tuple(states)).busy] == [9, 5, 3]
