from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nas.analysis.proxy_health import State, Trained, Yardstick, proxy_health
from nas.ledger import Ledger
from nas.records import TOLD, Evaluation, EvaluationKey, StudyKind, StudyRecord, TrialRecord, TrialState
from nas.report.proxy_health import health_lines, health_sentences, study_health

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
    (said,) = health_sentences(study_health(ledger, "mine"))
    why = "the study does not say what its accuracies are measured on"
    assert said == (State.UNKNOWN, f"near chance, at the ceiling, told apart: {why}")


def test_what_cannot_be_told_names_its_rung_once_for_each_reason(ledger: Ledger) -> None:
    low = [Trained(f"a{number}", 0, 0, 0.5 + 0.05 * number) for number in range(9)]
    high = [one._replace(rung=1) for one in low[:3]]
    rows = proxy_health([*low, *high], Yardstick(**YARDSTICK["yardstick"]))
    lines = health_lines(rows)
    assert [(line.what, line.rungs, line.state) for line in lines] == [
        ("near chance", (0,), State.GOOD),
        ("at the ceiling", (0,), State.GOOD),
        ("told apart", (0,), State.GOOD),
        ("near chance, at the ceiling, told apart", (1,), State.UNKNOWN),
        ("rungs agree", (), State.UNKNOWN),
    ]
    assert (
        health_sentences(rows)[3][1] == "rung 1: near chance, at the ceiling, told apart: 3 candidates, and it takes 4"
    )
    assert lines[4].says == "3 candidates with both rung 0 and rung 1, and it takes 6"


def test_a_study_without_a_yardstick_says_nothing(ledger: Ledger) -> None:
    trained(ledger, [0.1] * 9, {})
    assert {row.state for row in study_health(ledger, "mine")} == {State.UNKNOWN}
