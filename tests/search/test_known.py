"""What was trained under a recipe that stops at other places is not trained again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import search_works
from search_runs import Runner, make_definition

from nas.architecture import Architecture
from nas.executors.local import LocalExecutor
from nas.ledger import Ledger
from nas.records import StudyKind, TrialState
from nas.search.driver import Driver
from nas.search.sweeps.comparison import Comparison, Entry
from nas.search.sweeps.sweep_run import SweepRun
from nas.search.sweeps.trainings import open_study
from nas.space import load_architecture
from nas.space.askers import following
from nas.task import Task
from nas.train.recipe import Recipe

STOPPING = Recipe.from_dict({"epochs": 9, "rungs": [1, 3]})


def compare(ledger: Ledger, name: str, recipe: Recipe, architecture: Architecture | None = None) -> set[TrialState]:
    comparison = Comparison(
        name=name, about="", task=Task(), data="digits", fingerprint="0" * 16, recipe=recipe, seeds=1,
        entries=(Entry(architecture="one"),), architectures=(architecture or load_architecture("convnext_tiny"),),
    )  # fmt: skip
    open_study(ledger, name, StudyKind.COMPARE, comparison.to_dict())
    with LocalExecutor(search_works.instant, workers=1, preload=()) as executor:
        Driver(SweepRun(comparison.sweep(), ledger), executor=executor).run("here:1")
    return {trial.state for trial in ledger.trials(name)}


def test_with_other_rungs_or_none_it_is_the_same_training(ledger: Ledger) -> None:
    assert compare(ledger, "stopping", STOPPING) == {TrialState.DONE}
    assert compare(ledger, "straight", STOPPING.without_rungs()) == {TrialState.REUSED}
    assert compare(ledger, "elsewhere", STOPPING.changed(rungs=[5])) == {TrialState.REUSED}
    first, *others = (ledger.evaluations(name)[-1] for name in ("stopping", "straight", "elsewhere"))
    assert [one.key.rung for one in (first, *others)] == [2, 0, 1]
    for other in others:
        assert (other.accuracy, other.curve) == (first.accuracy, first.curve)
        assert other.seconds == 0  # which the other study has paid


@pytest.mark.parametrize(
    "change",
    [{"epochs": 8}, {"rungs": [{"epochs": 1, "resolution": 16}]}, {"rungs": [{"epochs": 1, "data_share": 0.5}]}],
    ids=str,
)
def test_whatever_changes_the_end_is_another_training(change: dict[str, Any]) -> None:
    straight = STOPPING.without_rungs()
    assert STOPPING.ends_as(straight)
    assert straight.ends_as(STOPPING)
    assert not straight.ends_as(straight.changed(**change))
    assert not straight.changed(**change).ends_as(straight)
    assert not STOPPING.changed(anneal="rung").ends_as(straight.changed(anneal="rung"))


@pytest.mark.slow
def test_search_takes_up_what_a_comparison_trained_with_rungs(run: Runner, ledger: Ledger) -> None:
    definition = make_definition(recipe=STOPPING.without_rungs())
    first = definition.space.build(following({}))
    compare(ledger, "stopping", STOPPING, architecture=first)
    progress = run(replace(definition, start=[definition.space.locate(first)]), trials=3)
    assert (progress.reused, progress.trained) == (1, 2)
    assert ledger.trials("study")[0].state is TrialState.REUSED
