from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from nas.records import Evaluation, EvaluationKey, Failure, TrialRecord, TrialState
from nas.search.history import History

KEY = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=0)
OUTCOMES = {
    "good": (TrialState.DONE, Evaluation(key=KEY, accuracy=0.5)),
    "known": (TrialState.REUSED, Evaluation(key=KEY, accuracy=0.7)),
    "diverged": (TrialState.FAILED, Evaluation(key=KEY, failure=Failure.DIVERGED)),
    "lost": (TrialState.FAILED, Evaluation(key=KEY, failure=Failure.NODE_LOST)),
    "over": (TrialState.REJECTED, None),
    "pending": (TrialState.QUEUED, None),
}
trial = st.tuples(st.lists(st.integers(-1, 3), min_size=3, max_size=3), st.sampled_from(sorted(OUTCOMES)))


@given(st.lists(trial, max_size=100))
def test_history_is_what_was_asked_and_told(trials: list[tuple[list[int], str]]) -> None:
    history = History(3, ("flops",))
    for number, (codes, outcome) in enumerate(trials):
        row = np.array(codes, np.int16)
        history.ask(number, row, {"flops": 10 + number, "params": 1})
        assert history.was_tried(row)
        state, evaluation = OUTCOMES[outcome]
        if outcome != "pending":
            history.tell(
                TrialRecord(
                    number=number,
                    architecture_id="a",
                    choices={},
                    cost={},
                    overrun={},
                    state=state,
                    evaluation=evaluation,
                )
            )
    learnt = {"good": 0.5, "known": 0.7, "diverged": np.nan}
    evaluated = [(number, codes, learnt[how]) for number, (codes, how) in enumerate(trials) if how in learnt]
    assert history.evaluated.codes.tolist() == [codes for _, codes, _ in evaluated]
    assert history.evaluated.costs.tolist() == [[10 + number] for number, _, _ in evaluated]
    np.testing.assert_array_equal(history.evaluated.accuracies, [accuracy for _, _, accuracy in evaluated])
    rows, costs = history.pending
    assert rows.tolist() == [codes for codes, how in trials if how == "pending"]
    assert costs.tolist() == [[10 + number] for number, (_, how) in enumerate(trials) if how == "pending"]
    everything = np.array([[a, b, 0] for a in range(-1, 4) for b in range(-1, 4)], np.int16)
    tried = [codes for codes, _ in trials]
    assert history.untried(everything).tolist() == [row not in tried for row in everything.tolist()]
