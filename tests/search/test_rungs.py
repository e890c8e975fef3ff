"""Searches with rungs: most candidates stop early, the best go on, and the sampler hears of the first rung alone."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import search_works
from search_runs import Runner, interrupted_after, make_definition

from nas.analysis.front import evaluated_rows, front_rows
from nas.analysis.pareto import non_dominated
from nas.cost import Budget
from nas.data import describe
from nas.evaluate.proxy import evaluate
from nas.executors.local import LocalExecutor
from nas.ledger import Ledger
from nas.records import Failure, StudyKind, StudyRecord, TrialState
from nas.search.driver import Driver
from nas.search.search import Search
from nas.search.stopping import Limits, Stop
from nas.train.recipe import Recipe

RECIPE = Recipe.from_dict({"epochs": 9, "rungs": [1, 3]})


def test_a_third_goes_on_from_rung_to_rung(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(recipe=RECIPE), trials=27, work=search_works.climbing)
    trials = [one for one in ledger.trials("study") if one.evaluation is not None]
    reached = [sum(one.evaluation.key.rung >= rung for one in trials) for rung in range(3)]  # type: ignore[union-attr]
    assert progress.rungs == tuple(reached)
    assert reached[0] == progress.trained == 27
    assert 27 // 3 <= reached[1] <= 20  # more than a third: some were among the best when they were judged
    assert reached[1] // 3 <= reached[2] <= reached[1]
    assert {one.state for one in trials} == {TrialState.STOPPED, TrialState.DONE}
    assert all((one.state is TrialState.DONE) == (one.evaluation.key.rung == 2) for one in trials)  # type: ignore[union-attr]
    assert len(ledger.evaluations("study")) == sum(reached)


@pytest.mark.slow
def test_the_front_is_of_the_highest_rung_and_every_result_is_kept(run: Runner, ledger: Ledger) -> None:
    definition = make_definition(recipe=RECIPE)
    run(definition, trials=27, work=search_works.climbing)
    rows = evaluated_rows(ledger.trials("study"), definition.budget)
    assert len(rows) == 27
    assert {row.rung for row in rows} == {0, 1, 2}
    assert {row.rung for row in front_rows(rows)} == {2}
    for rung in (0, 1):  # nobody who was on the front of a rung has stayed there
        stayed = {row.id for row in rows if row.rung == rung}
        reached = [one for one in ledger.evaluations("study") if one.key.rung == rung]
        flops = {row.id: row.flops for row in rows}
        points = [(one.accuracy, flops[one.key.architecture_id]) for one in reached]
        best = non_dominated(points, maximise=(True, False))  # type: ignore[arg-type]
        assert not stayed & {reached[index].key.architecture_id for index in best}


def test_without_rungs_everything_is_trained_fully(run: Runner, ledger: Ledger) -> None:
    run(make_definition(recipe=RECIPE.without_rungs()), trials=9, work=search_works.climbing)
    assert {one.state for one in ledger.trials("study")} <= {TrialState.DONE, TrialState.REJECTED}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe", "surrogate"])
def test_resumed_is_uninterrupted(run: Runner, ledger: Ledger, sampler: str) -> None:
    definition = make_definition(recipe=RECIPE, sampler=sampler)
    rng = random.Random(sampler)
    for _ in range(4):
        _interrupt(run, after=rng.randrange(1, 9), sampler=sampler)
    run(definition, trials=40, name="pieces", work=search_works.climbing)
    run(definition, trials=40, name="whole", work=search_works.climbing)
    whole, pieces = (
        [(one.number, one.architecture_id, one.evaluation and one.evaluation.key) for one in ledger.trials(name)]
        for name in ("whole", "pieces")
    )
    assert whole == pieces


def _interrupt(run: Runner, *, after: int, sampler: str) -> None:
    definition = make_definition(recipe=RECIPE, sampler=sampler)
    with pytest.raises(KeyboardInterrupt):
        run(definition, trials=1000, name="pieces", watch=interrupted_after(after), work=search_works.climbing)


@pytest.mark.slow
def test_what_the_ledger_knows_of_a_rung_is_not_trained_again(run: Runner, ledger: Ledger) -> None:
    run(make_definition(recipe=RECIPE), trials=12, name="first", work=search_works.climbing)
    progress = run(make_definition(recipe=RECIPE), trials=12, name="second", work=search_works.always_broken)
    assert (progress.trained, progress.failed, progress.reused) == (0, 0, 12)
    states = [{one.architecture_id: one.evaluation for one in ledger.trials(name)} for name in ("first", "second")]
    assert states[0] == states[1]


@pytest.mark.slow
def test_who_diverges_on_a_higher_rung_is_not_sent_again(run: Runner, ledger: Ledger) -> None:
    for trials in (12, 24):
        run(make_definition(recipe=RECIPE), trials=trials, work=search_works.failing_above)
    failed = [one for one in ledger.trials("study") if one.state is TrialState.FAILED]
    assert failed
    attempts = [one for one in ledger.evaluations("study") if not one.succeeded]
    assert {one.failure for one in attempts} == {Failure.DIVERGED}
    assert len(attempts) == len(failed) == len({one.key for one in attempts})
    rows = {row.id: row for row in evaluated_rows(ledger.trials("study"), Budget())}
    assert all(rows[one.architecture_id].rung == 0 for one in failed)  # they keep what they had


@pytest.mark.slow
def test_no_candidate_goes_on_after_the_time_is_up(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(recipe=RECIPE), trials=30, train_seconds=0.09, work=search_works.climbing)
    assert progress.stop is Stop.TRAIN_TIME
    assert len(ledger.evaluations("study")) == 9


@pytest.mark.slow
def test_lost_workers_cost_no_rung(run: Runner, ledger: Ledger) -> None:
    run(make_definition(recipe=RECIPE), trials=9, workers=2, work=search_works.dying_now_and_then)
    reached = [one.evaluation.key.rung for one in ledger.trials("study") if one.evaluation is not None]
    assert len(reached) == 9
    assert max(reached) >= 1


@pytest.mark.slow
def test_real_trainings_go_on_from_their_checkpoints(tmp_path: Path) -> None:
    """A candidate that climbed has the very result of one that was trained in one go."""
    found = describe("digits")
    recipe = Recipe.from_dict({"epochs": 3, "rungs": [1, 2], "resolution": 16, "batch": 64, "data_share": 0.3})
    definition = make_definition(recipe=recipe, data=found.reference, fingerprint=found.fingerprint, reduction=2)
    with Ledger.open(f"sqlite:///{tmp_path}/nas.db") as ledger:
        ledger.create_study(StudyRecord(name="s", kind=StudyKind.SEARCH, definition={}, created="2026-01-01"))
        with LocalExecutor(evaluate, workers=1) as pool:
            problem = definition.problem(str(tmp_path / "checkpoints"))
            Driver(Search("s", problem, ledger=ledger, limits=Limits(trials=6)), executor=pool).run("here:1")
            best = next(one for one in ledger.trials("s") if one.state is TrialState.DONE)
            form = ledger.architecture(best.architecture_id)
            pool.submit(
                replace(problem.proxy.job("again", best.architecture_id, form, 2, weights=None), checkpoint=None)
            )
            (at_once,) = pool.completed(timeout=60)
    assert best.evaluation is not None
    assert "restore" in best.evaluation.phases
    assert at_once.evaluation.accuracy == best.evaluation.accuracy
    assert at_once.evaluation.curve == best.evaluation.curve
