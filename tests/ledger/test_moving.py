from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nas.errors import StudyError
from nas.ledger import Ledger
from nas.pulse import Pulse
from nas.records import StudyKind, StudyRecord, TrialState


def stays(path: str) -> str:
    return path


@pytest.fixture
def shared(ledger: Ledger, records: Any) -> Ledger:
    """`alpha` trained three architectures; `beta` took one of them over and went on from the lower rung of another."""
    ledger.create_study(records.study("beta"))
    for number, name in enumerate(("a0", "a1", "a2")):
        ended = records.success(name, weights=f"/w/alpha/{name}.safetensors")
        records.write(ledger, records.trial(number, name, TrialState.DONE, evaluation=ended))
    ledger.record_loss("alpha", records.failure("a0"))
    higher = records.success("a1", key=records.key("a1", rung=1), weights="/w/beta/a1.safetensors")
    records.write(
        ledger,
        records.trial(0, "a0", TrialState.REUSED, evaluation=ledger.find(records.key("a0"))),
        records.trial(1, "a1", TrialState.DONE, evaluation=higher),
        study="beta",
    )
    ledger.save_report("alpha", "a2", "test accuracy", {"accuracy": 0.5})
    ledger.save_pulse(Pulse(study="alpha", stop="trials"))
    return ledger


def test_a_renamed_study_is_the_same_study(shared: Ledger, records: Any) -> None:
    before, evaluations = shared.trials("alpha"), shared.evaluations("alpha")
    refining = {"refines": "alpha", "seed": 1}
    shared.create_study(StudyRecord(name="r", kind=StudyKind.REFINE, definition=refining, created="2026-01-01"))
    with shared.lease("alpha", holder="here:1"):
        shared.rename_study("alpha", "gamma", relocate=lambda path: path.replace("alpha", "gamma"))
    assert {one.name for one in shared.studies()} == {"gamma", "beta", "r"}
    after = shared.trials("gamma")
    assert [(one.number, one.choices, one.state) for one in after] == [
        (one.number, one.choices, one.state) for one in before
    ]
    assert [one.key for one in shared.evaluations("gamma")] == [one.key for one in evaluations]
    assert [one.evaluation and one.evaluation.weights for one in after] == [
        f"/w/gamma/a{number}.safetensors" for number in range(3)
    ]
    status = shared.status("gamma")
    assert (status.pulse.study, status.pulse.stop, status.since) == ("gamma", "trials", None)
    assert shared.report("gamma", "a2", "test accuracy") == {"accuracy": 0.5}
    assert shared.study("r").definition == {"refines": "gamma", "seed": 1}
    with shared.lease("gamma", holder="here:1"):  # and can be driven at once
        shared.write_trials("gamma", [], architectures={}, attempts={0: 1})


def test_a_name_that_is_taken_changes_nothing(shared: Ledger) -> None:
    before = shared.studies()
    with shared.lease("alpha", holder="here:1"), pytest.raises(StudyError, match="there is a study 'beta' already"):
        shared.rename_study("alpha", "beta", relocate=stays)
    assert shared.studies() == before


def test_what_others_use_outlives_its_study(shared: Ledger, records: Any) -> None:
    before = shared.trials("beta")
    handed: list[tuple[str, str]] = []

    def hand_over(path: str, heir: str) -> str:
        handed.append((path, heir))
        return path.replace("alpha", heir)

    with shared.lease("alpha", holder="here:1"):
        assert shared.delete_study("alpha", hand_over=hand_over) == 2
    assert handed == [("/w/alpha/a0.safetensors", "beta"), ("/w/alpha/a1.safetensors", "beta")]
    assert [one.name for one in shared.studies()] == ["beta"]
    assert [one.evaluation and one.evaluation.key for one in shared.trials("beta")] == [
        one.evaluation and one.evaluation.key for one in before
    ]
    found = {key: shared.find(records.key(key)) for key in ("a0", "a1", "a2")}
    assert {key: one and one.weights for key, one in found.items()} == {
        "a0": "/w/beta/a0.safetensors", "a1": "/w/beta/a1.safetensors", "a2": None,
    }  # fmt: skip
    assert shared.failures("beta") == {}
    shared.create_study(records.study("alpha"))  # nothing of the old one comes back
    assert (shared.trials("alpha"), shared.report("alpha", "a2", "test accuracy")) == ([], None)
    with shared.lease("beta", holder="here:1"):
        shared.delete_study("beta", hand_over=hand_over)
    assert shared.evaluations() == []


def test_a_study_that_is_driven_cannot_be_taken(shared: Ledger, url: str) -> None:
    with Ledger.open(url) as other, shared.lease("alpha", holder="elsewhere:1"):
        with pytest.raises(StudyError, match="is being driven by elsewhere:1"), other.lease("alpha", holder="here:1"):
            pass
        assert {one.name for one in other.studies()} == {"alpha", "beta"}


def test_a_copy_is_whole_and_independent(shared: Ledger, tmp_path: Path, records: Any) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/copy.db") as other:
        seen: list[tuple[int, int]] = []
        moved = {"/w/alpha/a0.safetensors": "/copy/a0.safetensors"}
        done = shared.copy_study("beta", other, relocate=moved.get, watch=lambda *so_far: seen.append(so_far))
        assert (done.trials, done.evaluations, seen) == (2, 3, [(2, 2)])
        assert other.study("beta") == shared.study("beta")
        assert [one.state for one in other.trials("beta")] == [one.state for one in shared.trials("beta")]
        lower = other.find(records.key("a1"))
        assert lower is not None  # the rung that led to its own
        assert [one.evaluation and one.evaluation.weights for one in other.trials("beta")] == [
            "/copy/a0.safetensors", None,
        ]  # fmt: skip
        shared.copy_study(
            "alpha", other, relocate=stays, watch=lambda *so_far: None
        )  # meets evaluations that are there
        assert [one.evaluation for one in other.trials("alpha")][2] == shared.trials("alpha")[2].evaluation
        assert other.failures("alpha") == shared.failures("alpha")
        with pytest.raises(StudyError, match="there is a study 'alpha' already"):
            shared.copy_study("alpha", other, relocate=stays, watch=lambda *so_far: None)
        assert len(other.studies()) == 2
