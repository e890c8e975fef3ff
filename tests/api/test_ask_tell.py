"""Asking and telling: the search's rules with somebody else's accuracies."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

import nas
from nas.api.rows import Row
from nas.errors import StudyError, UserError
from nas.ledger import Ledger
from nas.search.driver import this_process


def begun(folder: Path, name: str = "mine", **given: object) -> nas.Study:
    given = {"space": "tiny", "budget": "20MFLOPs", "sampler": "random", "seed": 1} | given
    return nas.Study.create(name, storage=f"sqlite:///{folder}/nas.db", **given)  # type: ignore[arg-type]


def word(candidate: Row) -> float:
    """An accuracy that rises with the cost."""
    return candidate.cost.flops / (candidate.cost.flops + 1e7)


def told(study: nas.Study, count: int) -> list[Row]:
    """Ask and tell so often."""
    asked = []
    for _ in range(count):
        candidate = study.ask()
        study.tell(candidate, accuracy=word(candidate))
        asked.append(candidate)
    return asked


def test_a_candidate_is_asked_for_and_its_accuracy_told(tmp_path: Path) -> None:
    study = begun(tmp_path)
    candidate = study.ask()
    assert candidate.architecture.id == candidate.id
    assert candidate.cost == nas.estimate(candidate.architecture, 32, 10)
    assert candidate.cost.flops <= 20e6
    assert candidate.decisions
    assert candidate.build() is not None
    study.tell(candidate, accuracy=0.83)
    assert (study.best.id, study.best.accuracy, study.best.state) == (candidate.id, 0.83, "done")
    assert [row.id for row in study.front] == [candidate.id]
    assert study.status().pulse.best == candidate.id


@pytest.mark.slow
def test_a_failure_is_told_and_goes_on(tmp_path: Path) -> None:
    study = begun(tmp_path)
    candidate = study.ask()
    study.tell(candidate, failure="diverged")
    assert study.ask().id != candidate.id
    assert (study.trials[0].state, study.trials[0].failure) == ("failed", "diverged")


@pytest.mark.slow
def test_no_architecture_is_asked_for_twice_and_none_over_budget(tmp_path: Path) -> None:
    study = begun(tmp_path, budget="8MFLOPs")
    open_ones = [study.ask() for _ in range(2)]
    rows = [*open_ones, *told(study, 2)]
    assert len({row.id for row in rows}) == len(rows)
    assert all(row.cost.flops <= 8e6 for row in rows)
    for row in reversed(open_ones):
        study.tell(row, accuracy=0.5)
    assert {row.state for row in study.trials} <= {"done", "rejected", "reused"}


_SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("surrogate", "tpe", "nsga2")]


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", *_SLOW])
def test_taken_up_again_it_asks_as_if_it_had_never_stopped(tmp_path: Path, sampler: str) -> None:
    whole = told(begun(tmp_path, "whole", sampler=sampler), 3)
    told(begun(tmp_path, "parts", sampler=sampler), 1)
    rest = told(nas.Study.open("parts", storage=f"sqlite:///{tmp_path}/nas.db"), 2)
    assert [row.id for row in rest] == [row.id for row in whole[1:]]


def test_opened_anew_it_asks_for_the_open_candidates_first(tmp_path: Path) -> None:
    study = begun(tmp_path)
    first, second = study.ask(), study.ask()
    study.tell(first, accuracy=0.5)
    again = nas.Study.open("mine", storage=study.storage)
    assert again.ask().id == second.id
    assert again.ask().id not in (first.id, second.id)


@pytest.mark.slow
def test_another_process_asks_for_the_open_candidates_first(tmp_path: Path) -> None:
    study = begun(tmp_path)
    candidate = study.ask()
    asking = f"import nas; print(nas.Study.open('mine', storage={study.storage!r}).ask().id)"
    asked = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == candidate.id


def test_what_is_told_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = begun(tmp_path)
    told(study, 1)
    monkeypatch.setattr("nas.api.study.run_plan", lambda *given, **named: pytest.fail("it is refused before it begins"))
    with pytest.raises(StudyError, match="are told, which does not mix with those that are trained"):
        study.search(trials=2, executor=nas.Local(workers=1), quiet=True)


def test_what_is_no_accuracy_is_refused(tmp_path: Path) -> None:
    study = begun(tmp_path)
    candidate = study.ask()
    for accuracy in (-0.1, 83.0, math.nan, True, "good"):
        with pytest.raises(UserError, match=r"\[0, 1\]"):
            study.tell(candidate, accuracy=accuracy)  # type: ignore[arg-type]
    study.tell(candidate, accuracy=1)


def test_what_is_wrong_is_said_in_one_error(tmp_path: Path) -> None:
    study, other = begun(tmp_path), begun(tmp_path, "other")
    candidate = study.ask()
    with pytest.raises(UserError, match="either accuracy="):
        study.tell(candidate)
    with pytest.raises(UserError, match="either accuracy="):
        study.tell(candidate, accuracy=0.5, failure="bug")
    with pytest.raises(UserError, match="diverged"):
        study.tell(candidate, failure="diverge")
    with pytest.raises(UserError, match="node_lost"):
        study.tell(candidate, failure="node_lost")
    with pytest.raises(StudyError, match="of study 'mine'"):
        other.tell(candidate, accuracy=0.5)
    study.tell(candidate, accuracy=0.5)
    with pytest.raises(StudyError, match="in the ledger already"):
        study.tell(candidate, accuracy=0.6)
    assert study.best.accuracy == 0.5


def test_a_study_that_somebody_drives_is_refused(tmp_path: Path) -> None:
    study = begun(tmp_path)
    candidate = study.ask()
    with Ledger.open(study.storage) as ledger, ledger.lease("mine", holder=this_process()):
        with pytest.raises(StudyError, match="is being driven by"):
            study.ask()
        with pytest.raises(StudyError, match="is being driven by"):
            study.tell(candidate, accuracy=0.5)
    study.tell(candidate, accuracy=0.5)


@pytest.mark.slow
def test_what_was_told_is_no_training_of_another_study(tmp_path: Path) -> None:
    study, other = begun(tmp_path), begun(tmp_path, "other")
    candidate = told(study, 1)[0]
    assert other.ask().id == candidate.id  # the same seed: it would be reused if it were the same evaluation
    with pytest.raises(StudyError, match="were told"):
        study.best.export(tmp_path / "winner", quiet=True)
    assert not (tmp_path / "winner").exists()


@pytest.mark.slow
def test_an_exhausted_space_is_an_error_at_once(tmp_path: Path) -> None:
    study = begun(tmp_path, space=_of_two(tmp_path), budget=None)
    first, second = study.ask(), study.ask()
    assert first.id != second.id
    with pytest.raises(UserError, match="are open; tell of them first"):
        study.ask()
    study.tell(first, accuracy=0.5)
    study.tell(second, accuracy=0.6)
    with pytest.raises(UserError, match="two is exhausted: every architecture within budget was asked for; 2 were"):
        study.ask()
    assert len(study.trials) < 50  # fruitless asks are trials, too


def _of_two(folder: Path) -> str:
    path = folder / "two.yaml"
    path.write_text(TWO)
    return str(path)


TWO = """\
name: two
task: {resolution: 32, classes: 10, channels: 3}
stem: {kind: patchify, patch: 2, norm: layernorm}
stages:
  depth: [1, 1, 1]
  width: [16, 16, 16]
  block:
    kind: mixer_first
    mixer: {kind: depthwise, kernel: 3}
    norm: layernorm
    act: {choice: [gelu, relu]}
    act_placement: between_pointwise
    ratio: 2
    layer_scale: 1e-6
  downsample: {kind: conv, kernel: 2, norm: layernorm}
head: {kind: pool_norm_linear, norm: layernorm}
"""
