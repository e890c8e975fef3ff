from __future__ import annotations

from typing import Any

import pytest

from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import TrialState


def test_a_study_reads_back_as_it_was(ledger: Ledger, records: Any) -> None:
    assert ledger.study("alpha") == records.study("alpha")


def test_a_name_is_taken_once(ledger: Ledger, records: Any) -> None:
    with pytest.raises(StudyError, match=r"'alpha' exists already.*--resume.*--study"):
        ledger.create_study(records.study("alpha"))


def test_an_unknown_study_is_met_with_a_proposal_and_a_list(ledger: Ledger, records: Any) -> None:
    ledger.create_study(records.study("beta"))
    with pytest.raises(StudyError, match=r"unknown study 'alpa'; did you mean 'alpha'.*known: .*beta"):
        ledger.study("alpa")


def test_a_long_list_of_studies_is_cut(ledger: Ledger, records: Any) -> None:
    for number in range(12):
        ledger.create_study(records.study(f"s{number:02}"))
    with pytest.raises(StudyError, match=r"and 3 more$"):
        ledger.study("nothing like it")


def test_every_reader_of_a_study_refuses_an_unknown_one(ledger: Ledger, records: Any) -> None:
    for reading in (
        lambda: ledger.trials("x"),
        lambda: ledger.evaluations("x"),
        lambda: ledger.architecture_id("x", "a"),
        lambda: records.submit(ledger, 0, study="x"),
        lambda: ledger.finish("x", 0, records.success(), TrialState.DONE),
        lambda: ledger.save_report("x", "a0", "test", {}),
        lambda: ledger.write_trials("x", [], architectures={}),
        lambda: ledger.lease("x", holder="h:1").__enter__(),
    ):
        with pytest.raises(StudyError, match="unknown study 'x'"):
            reading()


def test_an_empty_ledger_says_so(url: str) -> None:
    with Ledger.open(url) as ledger:
        assert ledger.studies() == []
        with pytest.raises(StudyError, match="run `nas search` first"):
            ledger.latest_study()
        with pytest.raises(StudyError, match="holds none yet"):
            ledger.study("alpha")


def test_summaries_count_states_and_find_the_best(ledger: Ledger, records: Any) -> None:
    ledger.create_study(records.study("beta", created="2026-02-01T00:00:00+00:00"))
    records.write(ledger, records.trial(0, "a0"), records.trial(1, "a1"), records.trial(2, "a2", TrialState.REJECTED))
    ledger.finish("alpha", 0, records.success("a0", 0.5), TrialState.DONE)
    ledger.finish("alpha", 1, records.success("a1", 0.625), TrialState.DONE)
    alpha, beta = ledger.studies()
    assert (alpha.name, alpha.best_accuracy) == ("alpha", 0.625)
    assert alpha.counts == {TrialState.DONE: 2, TrialState.REJECTED: 1}
    assert alpha.latest_activity > alpha.created
    assert (beta.counts, beta.best_accuracy, beta.latest_activity) == ({}, None, beta.created)


def test_the_latest_study_is_the_one_last_worked_on(ledger: Ledger, records: Any) -> None:
    ledger.create_study(records.study("beta", created="2026-02-01T01:00:00+01:00"))
    assert ledger.latest_study() == "beta"
    records.write(ledger, records.trial(0))
    assert ledger.latest_study() == "alpha"
