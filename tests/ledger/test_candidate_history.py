from __future__ import annotations

from typing import Any

from nas.ledger import Ledger
from nas.records import Failure, TrialState


def test_trials_come_with_what_was_asked_and_when(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"), records.trial(1, "a1"))
    (asked,) = ledger.candidate_history("alpha", "a0").asks
    assert (asked.number, asked.attempts, asked.submitted) == (0, 0, None)
    assert asked.asked == asked.updated
    records.submit(ledger, 0, 2)
    ledger.finish("alpha", 0, records.success("a0"), TrialState.DONE)
    (ended,) = ledger.candidate_history("alpha", "a0").asks
    assert (ended.asked, ended.attempts, ended.state) == (asked.asked, 2, TrialState.DONE)
    assert ended.submitted is not None
    assert asked.updated <= ended.submitted <= ended.updated


def test_writing_a_trial_again_does_not_change_when_it_was_asked(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"))
    (before,) = ledger.candidate_history("alpha", "a0").asks
    records.write(ledger, records.trial(0, "a0"))
    assert ledger.candidate_history("alpha", "a0").asks[0].asked == before.asked


def test_outcomes_are_those_of_the_study_and_those_it_took_over(ledger: Ledger, records: Any) -> None:
    ledger.create_study(records.study("beta"))
    first, second = records.success("a0", 0.5), records.success("a0", 0.6, key=records.key("a0", rung=1))
    records.write(ledger, records.trial(0, "a0"))
    ledger.finish("alpha", 0, first, TrialState.STOPPED)
    elsewhere = records.success("a0", key=records.key("a0", seed=7))
    records.write(ledger, records.trial(1, "a0"))
    ledger.finish("alpha", 1, elsewhere, TrialState.DONE)  # another training of the same architecture

    records.write(ledger, records.trial(0, "a0"), study="beta")
    ledger.finish("beta", 0, first, TrialState.STOPPED)
    ledger.record_loss("beta", records.failure("a0", Failure.NODE_LOST, key=records.key("a0", rung=1)))
    ledger.finish("beta", 0, second, TrialState.DONE)
    told = ledger.candidate_history("beta", "a0")
    assert [(one.study, one.evaluation.key.rung, one.evaluation.failure) for one in told.outcomes] == [
        ("alpha", 0, None), ("beta", 1, Failure.NODE_LOST), ("beta", 1, None),
    ]  # fmt: skip
    assert [one.evaluation.key.seed for one in told.outcomes] == [0, 0, 0]


def test_a_stranger_has_no_history(ledger: Ledger) -> None:
    told = ledger.candidate_history("alpha", "nobody")
    assert (told.asks, told.outcomes) == ((), ())
