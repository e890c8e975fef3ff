from __future__ import annotations

import random

import pytest
import search_works
from search_runs import Runner, make_definition

from nas.cost import Budget
from nas.errors import BudgetError
from nas.ledger import Ledger
from nas.records import Failure, TrialState
from nas.schema.nodes import parse_yaml
from nas.search.engine import SearchStopped
from nas.search.progress import Progress
from nas.search.samplers import samplers
from nas.space.space import read_space

ENDED = {TrialState.DONE, TrialState.REUSED, TrialState.REJECTED, TrialState.FAILED}


def test_search_trains_as_many_distinct_candidates_as_asked_within_budget(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(), trials=12, workers=2, work=search_works.brief)
    trials = ledger.trials("study")
    trained = [trial for trial in trials if trial.state is TrialState.DONE]
    assert progress.trained == len(trained) == len({trial.architecture for trial in trained}) == 12
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert {trial.state for trial in trials} <= ENDED
    assert all(trial.cost["flops"] <= 30_000_000 for trial in trained)
    assert all(trial.cost["flops"] > 30_000_000 for trial in trials if trial.state is TrialState.REJECTED)
    best = max(trained, key=lambda trial: search_works.accuracy_of(trial.architecture))
    assert progress.best_id == best.architecture


@pytest.mark.parametrize("sampler", samplers)
def test_resumed_search_asks_what_an_uninterrupted_one_would_have(run: Runner, ledger: Ledger, sampler: str) -> None:
    definition = make_definition(sampler=sampler)
    run(definition, trials=28, name="whole")
    rng = random.Random(sampler)
    for stop in sorted(rng.sample(range(1, 28), 4)):
        run(definition, trials=stop, name="pieces")
        _interrupt(run, definition, after=rng.randrange(1, 4))
    run(definition, trials=28, name="pieces")
    whole, pieces = ledger.trials("whole"), ledger.trials("pieces")
    asked = [[(trial.number, trial.architecture, dict(trial.choices)) for trial in one] for one in (whole, pieces)]
    assert asked[0] == asked[1][: len(asked[0])]  # a run that is interrupted late may have gone further


def _interrupt(run: Runner, definition: object, *, after: int) -> None:
    looks = 0

    def stop(progress: Progress) -> None:
        nonlocal looks
        looks += 1
        if looks > after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(definition, trials=1000, name="pieces", watch=stop)


def test_evaluations_of_the_ledger_are_reused_across_studies(run: Runner, ledger: Ledger) -> None:
    run(make_definition(), trials=10, name="first")
    progress = run(make_definition(), trials=10, name="second", work=search_works.always_broken)
    assert (progress.trained, progress.reused, progress.failed) == (0, 10, 0)
    first, second = ({one.key for one in ledger.evaluations(name)} for name in ("first", "second"))
    assert first == second


def test_another_seed_is_another_training(run: Runner) -> None:
    run(make_definition(), trials=3, name="first")
    progress = run(make_definition(seed=1), trials=3, name="second")
    assert progress.reused == 0


def test_failed_candidates_are_kept_and_told_and_do_not_stop_the_search(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(sampler="tpe"), trials=20, work=search_works.sometimes_failing)
    assert progress.done == 20
    assert progress.failed > 0
    failed = [trial for trial in ledger.trials("study") if trial.state is TrialState.FAILED]
    assert {trial.evaluation.failure for trial in failed if trial.evaluation} == {Failure.DIVERGED}


def test_defect_in_the_first_trainings_stops_the_search_and_shows_it(run: Runner) -> None:
    with pytest.raises(SearchStopped, match=r"first 3 trainings all failed \(bug\)(?s:.*)ZeroDivisionError"):
        run(make_definition(), trials=20, work=search_works.always_broken)


def test_training_whose_worker_died_is_handed_out_again(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(), trials=6, workers=2, work=search_works.dying_first)
    assert (progress.trained, progress.failed, progress.lost) == (6, 0, 6)
    assert {trial.attempts for trial in ledger.trials("study") if trial.state is TrialState.DONE} == {2}


def test_training_that_always_takes_its_worker_down_fails_after_three_attempts(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(), trials=2, work=search_works.always_dying)
    assert (progress.trained, progress.failed, progress.lost) == (0, 2, 6)
    failed = [trial for trial in ledger.trials("study") if trial.state is TrialState.FAILED]
    assert {trial.evaluation.failure for trial in failed if trial.evaluation} == {Failure.NODE_LOST}


SMALL = """
name: small
task: {resolution: 32, classes: 10}
stem: patchify
stages:
  depth: {choice: [1, 2, 3, 4, 5]}
  width: 16
  block: mixer_first
head: pool_norm_linear
"""


def test_space_that_is_used_up_ends_with_what_was_found(run: Runner, ledger: Ledger) -> None:
    small = read_space(*parse_yaml(SMALL, "small.yaml"))
    with pytest.raises(BudgetError, match="5 of 9 were found"):
        run(make_definition(space=small, budget=Budget()), trials=9, fruitless_asks=30)
    trials = ledger.trials("study")
    trained = [trial.architecture for trial in trials if trial.state is TrialState.DONE]
    assert len(trained) == len(set(trained)) == 5
    repeated = [trial for trial in trials if trial.state is TrialState.REUSED]
    assert repeated
    assert all(trial.evaluation is not None for trial in repeated)


def test_two_drivers_of_one_study_are_refused(run: Runner, ledger: Ledger) -> None:
    run(make_definition(), trials=1)
    with ledger.lease("study", holder="elsewhere:7"), pytest.raises(Exception, match="elsewhere:7"):
        run(make_definition(), trials=2)


def test_candidate_that_waits_for_another_ones_training_ends_with_it(run: Runner, ledger: Ledger) -> None:
    small = read_space(*parse_yaml(SMALL.replace("[1, 2, 3, 4, 5]", "[1, 2]"), "small.yaml"))
    with pytest.raises(BudgetError, match="2 of 4 were found"):
        run(
            make_definition(space=small, budget=Budget()),
            trials=4,
            workers=3,
            work=search_works.brief,
            fruitless_asks=30,
        )
    trials = ledger.trials("study")
    assert {trial.state for trial in trials} <= {TrialState.DONE, TrialState.REUSED}
    assert [trial.number for trial in trials] == list(range(len(trials)))
