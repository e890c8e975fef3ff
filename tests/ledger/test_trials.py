from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import Ending, Failure, TrialState


def test_trials_read_back_as_they_were_by_number(ledger: Ledger, records: Any) -> None:
    written = [records.trial(2, "a2"), records.trial(0, "a0", TrialState.REJECTED), records.trial(1, "a0")]
    records.write(ledger, *written)
    assert ledger.trials("alpha") == [written[1], written[2], written[0]]


def test_trials_of_some_states(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0), records.trial(1, state=TrialState.REJECTED), records.trial(2))
    ledger.finish("alpha", 0, records.success(), TrialState.DONE)
    assert [t.number for t in ledger.trials("alpha", [TrialState.QUEUED])] == [2]
    assert [t.number for t in ledger.trials("alpha", {TrialState.REJECTED, TrialState.DONE})] == [0, 1]
    assert ledger.trials("alpha", []) == []


def test_trials_are_written_together_or_not_at_all(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"))
    with pytest.raises(StudyError, match="trial 0 of study 'alpha' already stands for architecture a0, not a9"):
        records.write(ledger, records.trial(1, "a1"), records.trial(0, "a9"))
    assert [t.number for t in ledger.trials("alpha")] == [0]


def test_writing_the_same_again_changes_nothing(ledger: Ledger, records: Any) -> None:
    batch = [records.trial(0, "a0", TrialState.REJECTED), records.trial(1, "a1")]
    records.write(ledger, *batch)
    records.submit(ledger, 1)
    before = ledger.trials("alpha")
    records.write(ledger, *batch)
    assert ledger.trials("alpha") == before
    ledger.finish("alpha", 1, records.success("a1"), TrialState.DONE)
    before = ledger.trials("alpha")
    records.write(ledger, *batch)
    assert ledger.trials("alpha") == before


def test_a_failed_trial_can_be_queued_again(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0))
    records.submit(ledger, 0)
    ledger.finish("alpha", 0, records.failure(), TrialState.FAILED)
    records.write(ledger, records.trial(0))
    assert ledger.trials("alpha") == [records.trial(0, attempts=1)]


def test_a_known_evaluation_may_come_with_its_trial(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0))
    ledger.finish("alpha", 0, records.success(accuracy=0.5), TrialState.DONE)
    reused = records.trial(1, state=TrialState.REUSED, evaluation=records.success(accuracy=0.5))
    records.write(ledger, reused)
    assert ledger.trials("alpha")[1] == reused
    assert len(ledger.evaluations()) == 1


def test_finish_closes_the_trial_with_its_evaluation(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0), records.trial(1, "a1"))
    assert ledger.finish("alpha", 0, records.success(), TrialState.DONE) == records.success()
    ledger.finish("alpha", 1, records.failure("a1"), TrialState.FAILED)
    assert ledger.trials("alpha") == [
        records.trial(0, state=TrialState.DONE, evaluation=records.success()),
        records.trial(1, "a1", TrialState.FAILED, evaluation=records.failure("a1")),
    ]


def test_finish_twice_is_finish_once(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0), records.trial(1, "a1"))
    for _ in range(2):
        ledger.finish("alpha", 0, records.success(), TrialState.DONE)
        ledger.finish("alpha", 1, records.failure("a1"), TrialState.FAILED)
    assert ledger.evaluations() == [records.success(), records.failure("a1")]


def test_a_final_trial_stays_as_it_is(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0))
    ledger.finish("alpha", 0, records.success(), TrialState.DONE)
    before = ledger.trials("alpha")
    late = records.failure(reason=Failure.NODE_LOST)
    ledger.finish("alpha", 0, late, TrialState.FAILED)
    assert ledger.trials("alpha") == before
    assert late in ledger.evaluations("alpha")


def test_a_lost_node_leaves_the_trial_queued_and_the_failure_on_record(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0))
    lost = records.failure(reason=Failure.NODE_LOST)
    ledger.finish("alpha", 0, lost, TrialState.QUEUED)
    assert ledger.trials("alpha") == [records.trial(0)]
    assert ledger.evaluations("alpha") == [lost]
    ledger.finish("alpha", 0, records.success(), TrialState.DONE)
    assert ledger.trials("alpha")[0].evaluation == records.success()


def test_finish_refuses_what_does_not_fit(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0))
    with pytest.raises(StudyError, match="'alpha' has no trial 9"):
        ledger.finish("alpha", 9, records.success(), TrialState.DONE)
    with pytest.raises(ValueError, match="trial 0 is of architecture a0"):
        ledger.finish("alpha", 0, records.success("a1"), TrialState.DONE)
    with pytest.raises(ValueError, match="ended with success cannot leave a trial failed"):
        ledger.finish("alpha", 0, records.success(), TrialState.FAILED)
    with pytest.raises(ValueError, match="ended with out_of_memory cannot leave a trial done"):
        ledger.finish("alpha", 0, records.failure(), TrialState.DONE)
    assert ledger.trials("alpha") == [records.trial(0)]
    assert ledger.evaluations() == []


def test_a_record_must_agree_with_its_state(ledger: Ledger, records: Any) -> None:
    with pytest.raises(ValueError, match="trial 0 is done without an evaluation"):
        records.write(ledger, records.trial(0, state=TrialState.DONE))
    with pytest.raises(ValueError, match="trial 0 is queued with an evaluation"):
        records.write(ledger, records.trial(0, evaluation=records.failure()))


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(choices=st.dictionaries(st.text(), plain), sampler=st.dictionaries(st.text(), plain))
def test_any_plain_data_survives(
    ledger: Ledger, records: Any, choices: dict[str, Any], sampler: dict[str, Any]
) -> None:
    number = len(ledger.trials("alpha"))
    written = replace(records.trial(number), choices=choices, sampler=sampler)
    records.write(ledger, written)
    assert ledger.trials("alpha")[number] == written


def test_attempts_are_written_together_with_the_trials(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"))
    for _ in range(2):  # repeating changes nothing
        ledger.write_trials("alpha", [records.trial(1, "a1")], architectures=_forms("a1"), attempts={0: 2, 1: 1})
    assert [trial.attempts for trial in ledger.trials("alpha")] == [2, 1]
    (ask,) = ledger.candidate_history("alpha", "a0").asks
    assert ask.submitted is not None
    with pytest.raises(StudyError, match="has no trial 7"):
        ledger.write_trials("alpha", [records.trial(2, "a2")], architectures=_forms("a2"), attempts={7: 1})
    assert len(ledger.trials("alpha")) == 2


def test_trials_end_together_or_not_at_all(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"), records.trial(1, "a1"))
    good = Ending(number=0, evaluation=records.success("a0"), state=TrialState.DONE)
    with pytest.raises(StudyError, match="has no trial 7"):
        ledger.finish_all("alpha", [good, Ending(number=7, evaluation=records.success("a1"), state=TrialState.DONE)])
    assert {trial.state for trial in ledger.trials("alpha")} == {TrialState.QUEUED}
    bad = Ending(number=1, evaluation=records.failure("a1"), state=TrialState.FAILED)
    assert ledger.finish_all("alpha", [good, bad]) == [good.evaluation, bad.evaluation]
    assert [trial.state for trial in ledger.trials("alpha")] == [TrialState.DONE, TrialState.FAILED]


def test_pages_hold_every_trial_once_by_number(ledger: Ledger, records: Any) -> None:
    records.write(ledger, *(records.trial(number, f"a{number}") for number in (0, 1, 2, 5, 6, 9)))
    pages = list(ledger.pages("alpha", size=4))
    assert [len(page) for page in pages] == [4, 2]
    assert [trial for page in pages for trial in page] == ledger.trials("alpha")
    with pytest.raises(StudyError, match="unknown study 'alhpa'"):
        list(ledger.pages("alhpa"))


def _forms(*names: str) -> dict[str, dict[str, str]]:
    return {name: {"stem": name} for name in names}
