from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nas.analysis.proxy_health import State
from nas.ledger import Ledger
from nas.records import TOLD, Evaluation, EvaluationKey, StudyKind, StudyRecord, TrialRecord, TrialState
from nas.report.proxy_health import health_sentences, study_health

YARDSTICK = {"yardstick": {"images": 360, "chance": 0.1}}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/nas.db") as ledger:
        yield ledger


def trained(ledger: Ledger, accuracies: list[float], definition: dict[str, Any], recipe: str = "r" * 12) -> None:
    ledger.create_study(
        StudyRecord(name="mine", kind=StudyKind.SEARCH, definition=definition, created="2026-01-01T00:00:00+00:00")
    )
    cost = {name: 1 for name in ("flops", "params", "activations", "train_flops", "train_params")}
    for number, accuracy in enumerate(accuracies):
        name = f"a{number}"
        trial = TrialRecord(
            number=number, architecture_id=name, choices={}, cost=cost, overrun={}, state=TrialState.QUEUED
        )
        ledger.write_trials("mine", [trial], architectures={name: {}})
        key = EvaluationKey(architecture_id=name, recipe=recipe, fingerprint="d" * 16, seed=0)
        ledger.finish("mine", number, Evaluation(key=key, accuracy=accuracy), TrialState.DONE)


def test_a_study_s_health_is_read_from_the_ledger(ledger: Ledger) -> None:
    trained(ledger, [0.1, 0.11, 0.09, 0.1, 0.8], YARDSTICK)
    said = health_sentences(study_health(ledger, "mine"))
    assert [state for state, _ in said] == [State.POOR, State.GOOD, State.GOOD]
    assert said[0][1].startswith("4 of 5 candidates cannot be told from guessing (up to 13.5%): train longer")


def test_told_accuracies_and_studies_of_before_are_not_measured_on_our_images(ledger: Ledger) -> None:
    trained(ledger, [0.1] * 9, YARDSTICK, recipe=TOLD + "0" * 7)
    assert health_sentences(study_health(ledger, "mine")) == []


def test_a_study_without_a_yardstick_says_nothing(ledger: Ledger) -> None:
    trained(ledger, [0.1] * 9, {})
    assert {row.state for row in study_health(ledger, "mine")} == {State.UNKNOWN}
