from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulations import RECIPE, SPACE

from nas.cost import Budget
from nas.ledger import Ledger
from nas.records import Failure, TrialRecord, TrialState
from nas.search.definition import StudyDefinition
from nas.search.driver import StudyStopped
from nas.search.simulation.run import Cell, Ran, Trainings, resume_cell, run_cell
from nas.search.simulation.world import Odds
from nas.train.recipe import Recipe


def make_cell(*, recipe: Recipe = RECIPE, **changes: Any) -> Cell:
    definition = StudyDefinition(
        space=SPACE, budget=Budget.parse("30MFLOPs"), task=SPACE.task, data="simulated", fingerprint="simulated",
        recipe=recipe, sampler="random",
    )  # fmt: skip
    odds = Odds(lost=0.2, out_of_memory=0.05, diverged=0.05)
    fields: dict[str, Any] = {"workers": 7, "trials": 60, "trainings": Trainings(odds=odds)}
    return Cell(definition=definition.to_dict(), **{**fields, **changes})


def simulated(cell: Cell, folder: Path) -> tuple[Ran, list[TrialRecord]]:
    url = f"sqlite:///{folder}/nas.db"
    ran = run_cell(cell, url, lambda done, total: None)
    resumed = resume_cell(cell, url)
    with Ledger.read(url) as ledger:
        trials = ledger.trials(cell.study)
    assert (resumed.trained, resumed.front) == (ran.trained, ran.front)
    return ran, trials


@pytest.mark.slow
def test_every_candidate_ends_once_and_nothing_is_lost(tmp_path: Path) -> None:
    ran, trials = simulated(make_cell(), tmp_path)
    assert ran.trained + ran.failed == 60 == len({one.architecture_id for one in trials})
    assert ran.rungs[0] == ran.trained
    assert ran.rungs[0] // 3 <= ran.rungs[1] < ran.rungs[0]
    assert {one.state for one in trials} == {TrialState.DONE, TrialState.STOPPED, TrialState.FAILED}
    assert ran.lost > 0
    assert ran.jobs >= sum(ran.rungs) + ran.failed
    assert 0 < ran.utilisation <= 1
    assert ran.database > 0


@pytest.mark.slow
def test_the_same_cell_gives_the_same_study(tmp_path: Path) -> None:
    found = []
    for name in "ab":
        (tmp_path / name).mkdir()
        found.append(simulated(make_cell(), tmp_path / name)[1])
    assert found[0] == found[1]


def test_a_simulation_that_loses_every_worker_stops_as_a_search_does(tmp_path: Path) -> None:
    always = Trainings(odds=Odds(lost=1.0, out_of_memory=0, diverged=0))
    with pytest.raises(StudyStopped, match=r"the first 3 trainings all failed \(node lost, each with 3 workers"):
        simulated(make_cell(recipe=RECIPE.without_rungs(), trials=4, trainings=always), tmp_path)
    with Ledger.read(f"sqlite:///{tmp_path}/nas.db") as ledger:
        failed = [one for one in ledger.trials(ledger.latest_study()) if one.state is TrialState.FAILED]
    assert {one.evaluation.failure for one in failed if one.evaluation} == {Failure.NODE_LOST}
    assert len(failed) >= 3
