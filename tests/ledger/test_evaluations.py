from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from nas.errors import LedgerError
from nas.ledger import Ledger
from nas.records import Failure, TrialState


@pytest.fixture
def filled(ledger: Ledger, records: Any) -> Ledger:
    """A ledger with ten queued trials, of architectures a0 to a9."""
    records.write(ledger, *(records.trial(number, f"a{number}") for number in range(10)))
    return ledger


def test_find_gives_the_success_of_a_key(filled: Ledger, records: Any) -> None:
    assert filled.find(records.key()) is None
    filled.finish("alpha", 0, records.failure(), TrialState.FAILED)
    assert filled.find(records.key()) is None
    filled.finish("alpha", 0, records.success(), TrialState.DONE)
    assert filled.find(records.key()) == records.success()


@pytest.mark.parametrize("part", ["architecture_id", "recipe", "fingerprint", "seed", "rung"])
def test_every_part_of_a_key_counts(filled: Ledger, records: Any, part: str) -> None:
    from dataclasses import replace

    filled.finish("alpha", 0, records.success(), TrialState.DONE)
    other: Any = 1 if part in ("seed", "rung") else "other"
    assert filled.find(replace(records.key(), **{part: other})) is None


def test_several_rungs_and_seeds_of_one_architecture_stand_side_by_side(filled: Ledger, records: Any) -> None:
    keys = [records.key(seed=seed, rung=rung) for seed in range(2) for rung in range(2)]
    for position, key in enumerate(keys):
        records.write(filled, records.trial(10 + position))
        filled.finish("alpha", 10 + position, records.success(key=key, accuracy=position / 8), TrialState.DONE)
    assert [filled.find(key).accuracy for key in keys] == [0, 0.125, 0.25, 0.375]  # type: ignore[union-attr]


def test_a_second_success_of_one_key_gives_way_to_the_first(filled: Ledger, records: Any) -> None:
    filled.create_study(records.study("beta"))
    records.write(filled, records.trial(0), study="beta")
    first, second = records.success(accuracy=0.5), records.success(accuracy=0.6)
    filled.finish("alpha", 0, first, TrialState.DONE)
    assert filled.finish("beta", 0, second, TrialState.DONE) == first
    assert filled.trials("beta")[0].evaluation == first
    assert filled.evaluations() == [first]


def test_a_second_success_brings_the_test_accuracy_that_the_first_lacks(filled: Ledger, records: Any) -> None:
    for study in ("beta", "gamma"):
        filled.create_study(records.study(study))
        records.write(filled, records.trial(0), study=study)
    first, second = (records.success(accuracy=0.5, test_accuracy=test) for test in (None, 0.4))
    filled.finish("alpha", 0, first, TrialState.DONE)
    assert filled.finish("beta", 0, second, TrialState.DONE) == second
    assert filled.evaluations() == [second]
    assert filled.finish("gamma", 0, first, TrialState.DONE) == second


def test_failures_are_all_kept(filled: Ledger, records: Any) -> None:
    failures = [records.failure(reason=reason, seconds=seconds) for reason in Failure for seconds in (1.0, 2.0)]
    for failure in failures:
        filled.finish("alpha", 0, failure, TrialState.FAILED)
    assert filled.evaluations("alpha") == failures
    assert filled.trials("alpha")[0].evaluation == failures[-1]


def test_evaluations_of_a_study_are_those_it_made_or_reused(filled: Ledger, records: Any) -> None:
    filled.create_study(records.study("beta"))
    records.write(filled, records.trial(0), records.trial(1, "a1"), study="beta")
    filled.finish("alpha", 0, records.success("a0"), TrialState.DONE)
    filled.finish("alpha", 2, records.success("a2"), TrialState.DONE)
    filled.finish("beta", 0, records.success("a0"), TrialState.REUSED)
    filled.finish("beta", 1, records.failure("a1"), TrialState.FAILED)
    assert filled.evaluations("beta") == [records.success("a0"), records.failure("a1")]
    assert len(filled.evaluations()) == 3


def test_what_no_column_can_hold_does_not_lose_the_result(filled: Ledger, records: Any) -> None:
    strange = records.failure(
        reason=Failure.DIVERGED, loss=math.nan, curve=(1.0, math.inf), message="\0 \udcff", traceback="a\0b"
    )
    for _ in range(2):
        filled.finish("alpha", 0, strange, TrialState.FAILED)
    (kept,) = filled.evaluations()
    assert (kept.loss, kept.curve, kept.message, kept.traceback) == (None, (1.0, math.inf), "\ufffd ?", "a\ufffdb")


def test_weights_can_be_forgotten_and_found_again(filled: Ledger, records: Any) -> None:
    filled.finish("alpha", 0, records.success(), TrialState.DONE)
    filled.set_weights(records.key(), None)
    assert filled.find(records.key()) == records.success(weights=None)
    filled.set_weights(records.key(), "/elsewhere")
    assert filled.find(records.key()) == records.success(weights="/elsewhere")
    with pytest.raises(LedgerError, match=r"no successful evaluation of .*'a1'"):
        filled.set_weights(records.key("a1"), None)


def test_architectures_are_kept_once_with_their_keys_in_order(filled: Ledger, records: Any) -> None:
    canonical = {"z": 1, "a": [1.5, None, {"y": "ü", "b": True}]}
    for name in ("beta", "gamma"):
        filled.create_study(records.study(name))
        filled.write_trials(name, [records.trial(0, "b0")], architectures={"b0": canonical})
    assert filled.architecture("b0") == canonical
    assert list(filled.architecture("b0")) == ["z", "a"]
    with pytest.raises(LedgerError, match="holds no architecture 'nope'"):
        filled.architecture("nope")


def test_a_report_is_made_once(filled: Ledger, records: Any) -> None:
    assert filled.report("alpha", "a0", "test") is None
    assert filled.save_report("alpha", "a0", "test", {"accuracy": 0.5}) == {"accuracy": 0.5}
    assert filled.save_report("alpha", "a0", "test", {"accuracy": 0.9}) == {"accuracy": 0.5}
    assert filled.report("alpha", "a0", "test") == {"accuracy": 0.5}
    assert filled.report("alpha", "a1", "test") is None
    assert filled.report("alpha", "a0", "other") is None


def test_several_keys_are_looked_up_at_once(ledger: Ledger, records: Any) -> None:
    records.write(ledger, *(records.trial(number, f"a{number}") for number in range(3)))
    for number in range(2):
        ledger.finish("alpha", number, records.success(f"a{number}"), TrialState.DONE)
    ledger.finish("alpha", 2, records.failure("a2"), TrialState.FAILED)
    keys = [records.success(f"a{number}").key for number in range(4)]
    other = replace(keys[0], seed=99)
    assert ledger.find_all([*keys[1:], other]) == {keys[1]: records.success("a1")}
    assert ledger.find_all([]) == {}


def test_a_ledger_knows_how_large_it_is(ledger: Ledger, records: Any) -> None:
    before = ledger.bytes()
    records.write(ledger, *(records.trial(number, f"a{number}") for number in range(300)))
    assert ledger.bytes() > before > 0
