"""What every registered sampler does; a new one is tested from the moment it is registered."""

from __future__ import annotations

import math

import pytest
from search_runs import every_sampler, make_definition, run_here
from search_tables import make_problem, make_table

from nas.ledger import Ledger
from nas.records import CONTROL, TrialRecord, TrialState
from nas.search.problem import RANDOM, Problem
from nas.search.samplers import samplers

OURS = ("surrogate", "evolution", "random")  # choose among whole candidates within budget
TRIALS = 13  # Optuna's model-based samplers begin after ten


def trials_of(ledger: Ledger, problem: Problem, name: str = "study", **options: int) -> list[TrialRecord]:
    run_here(ledger, problem, name=name, trials=options.pop("trials", TRIALS), **options)
    return ledger.trials(name)


def test_ours_are_all_registered() -> None:
    assert set(OURS) < set(samplers)


@pytest.mark.parametrize("name", every_sampler())
@pytest.mark.parametrize(
    "costs", [*(pytest.param(one, marks=pytest.mark.slow) for one in ((), ("flops",))), ("flops", "params")], ids=len
)
def test_it_searches_for_any_objectives(name: str, costs: tuple[str, ...], ledger: Ledger) -> None:
    trials = trials_of(ledger, make_problem(sampler=name, costs=costs))
    assert sum(trial.state is TrialState.DONE for trial in trials) == TRIALS


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("workers", [1, 4])
def test_ours_ask_for_nothing_over_budget_and_for_nothing_twice(name: str, workers: int, ledger: Ledger) -> None:
    table = make_table(sizes=(3, 4, 2))
    limit = float(sorted(table.costs["flops"])[13])
    problem = make_problem(table, sampler=name, limit=limit)
    within = len(problem.domain.feasible)  # type: ignore[arg-type]
    trials = trials_of(ledger, problem, trials=within, workers=workers)
    assert {trial.state for trial in trials} == {TrialState.DONE}
    assert len(trials) == within


@pytest.mark.parametrize("name", every_sampler())
def test_a_tenth_of_the_trials_is_a_random_control(name: str, ledger: Ledger) -> None:
    problem = make_problem(make_table(sizes=(3, 4, 4, 3)), sampler=name, control=0.25)
    trials = trials_of(ledger, problem)
    marked = [trial.number for trial in trials if trial.sampler.get(CONTROL)]
    assert marked == ([] if name == RANDOM else [number for number in range(len(trials)) if number % 4 == 3])


@pytest.mark.parametrize("name", every_sampler())
def test_it_follows_from_the_seed(name: str, ledger: Ledger) -> None:
    first, second = (
        [trial.architecture_id for trial in trials_of(ledger, make_problem(sampler=name, seed=seed), name=str(run))]
        for run, seed in enumerate((3, 3))
    )
    other = [trial.architecture_id for trial in trials_of(ledger, make_problem(sampler=name, seed=4), name="other")]
    assert first == second != other


@pytest.mark.parametrize("name", every_sampler())
def test_it_walks_spaces_whose_questions_depend_on_answers(name: str, ledger: Ledger) -> None:
    from nas.cost import Budget
    from nas.schema.nodes import parse_yaml
    from nas.space.load import read_space

    space = read_space(*parse_yaml(NESTED, "nested.yaml"))
    problem = make_definition(space=space, budget=Budget.parse("4..40MFLOPs"), sampler=name).problem()
    trials = trials_of(ledger, problem, trials=12)
    assert {len(trial.choices) for trial in trials} == {3, 4}
    done = [trial for trial in trials if trial.state is TrialState.DONE]
    assert all(4e6 <= trial.cost["flops"] <= 40e6 for trial in done)


@pytest.mark.parametrize("name", every_sampler())
def test_a_table_with_gaps_is_answered_by_its_nearest_network(name: str, ledger: Ledger) -> None:
    table = make_table(sizes=(3, 4, 4, 3), share=0.3)
    trials = trials_of(ledger, make_problem(table, sampler=name))
    rows = {tuple(row) for row in table.codes.tolist()}
    codes = [
        tuple(one.options.index(trial.choices[name]) for name, one in table.dimensions.items()) for trial in trials
    ]
    assert set(codes) <= rows
    assert all(math.isfinite(trial.cost["flops"]) for trial in trials)


NESTED = """
name: nested
task: {resolution: 32, classes: 10}
stem: patchify
stages:
  depth: {choice: [1, 2, 3, 4]}
  width: {choice: [16, 32, 48, 64]}
  block:
    kind: mixer_first
    mixer:
      choice:
        - {kind: depthwise, kernel: {choice: [3, 5, 7]}}
        - {kind: dense, kernel: 3}
head: pool_norm_linear
"""
