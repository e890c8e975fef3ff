from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, strategies as st

from nas.records import Evaluation, EvaluationKey, Failure, TrialState

WORDS = st.text(max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.builds(
    EvaluationKey,
    architecture_id=WORDS,
    recipe=WORDS,
    fingerprint=WORDS,
    seed=st.integers(0, 2**31),
    rung=st.integers(0, 5),
)
EVALUATIONS = st.builds(
    Evaluation,
    key=KEYS,
    accuracy=st.none() | st.floats(0, 1),
    loss=st.none() | NUMBERS,
    curve=st.lists(NUMBERS, max_size=4).map(tuple),
    images=st.integers(0, 10**9),
    seconds=NUMBERS,
    train_seconds=NUMBERS,
    peak_memory=st.integers(0, 2**40),
    worker=WORDS,
    weights=st.none() | WORDS,
    failure=st.none() | st.sampled_from(Failure),
    message=WORDS,
    traceback=WORDS,
)


@given(EVALUATIONS)
def test_evaluation_survives_json(evaluation: Evaluation) -> None:
    text = json.dumps(evaluation.to_dict(), allow_nan=False)
    assert Evaluation.from_dict(json.loads(text)) == evaluation


def test_evaluation_is_read_from_the_least_there_is() -> None:
    key = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=0)
    assert Evaluation.from_dict({"key": {"architecture": "a", "recipe": "r", "data": "d", "seed": 0}}) == Evaluation(
        key=key
    )


def test_evaluation_succeeded_unless_it_failed() -> None:
    key = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=0)
    assert Evaluation(key=key, accuracy=0.5).succeeded
    assert not Evaluation(key=key, failure=Failure.DIVERGED).succeeded


def test_traceback_is_kept_out_of_the_repr() -> None:
    key = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=0)
    assert "line 3" not in repr(Evaluation(key=key, failure=Failure.BUG, traceback="line 3"))


def test_records_cannot_be_changed() -> None:
    key = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=0)
    with pytest.raises(FrozenInstanceError):
        key.seed = 1  # type: ignore[misc]


def test_states_are_the_words_of_the_database() -> None:
    assert [str(state) for state in TrialState] == ["rejected", "queued", "stopped", "done", "reused", "failed"]
    assert Failure("node_lost") is Failure.NODE_LOST
