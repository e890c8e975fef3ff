from __future__ import annotations

import time
from collections import Counter

import pytest
import search_works
from search_runs import Runner, make_definition, run_here
from search_tables import make_problem, make_table

from nas.cost import Budget
from nas.errors import BudgetError
from nas.executors.base import Finished
from nas.ledger import Ledger
from nas.records import Failure, Job, StudyKind, StudyRecord, TrialState
from nas.schema.nodes import parse_yaml
from nas.search.bench.in_process import InProcess
from nas.search.driver import Driver, StudyStopped
from nas.search.search import Search
from nas.search.stopping import Limits, Stop
from nas.space.load import read_space

ENDED = {TrialState.DONE, TrialState.REUSED, TrialState.REJECTED, TrialState.FAILED}


def test_search_trains_as_many_distinct_candidates_as_asked_within_budget(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(), trials=12, workers=2, work=search_works.brief)
    trials = ledger.trials("study")
    trained = [trial for trial in trials if trial.state is TrialState.DONE]
    assert progress.trained == len(trained) == len({trial.architecture_id for trial in trained}) == 12
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert {trial.state for trial in trials} <= ENDED
    assert all(trial.cost["flops"] <= 30_000_000 for trial in trained)
    assert all(trial.cost["flops"] > 30_000_000 for trial in trials if trial.state is TrialState.REJECTED)
    best = max(trained, key=lambda trial: search_works.accuracy_of(trial.architecture_id))
    assert progress.best_id == best.architecture_id


@pytest.mark.slow
def test_evaluations_of_the_ledger_are_reused_across_studies(run: Runner, ledger: Ledger) -> None:
    run(make_definition(), trials=10, name="first")
    progress = run(make_definition(), trials=10, name="second", work=search_works.always_broken)
    assert (progress.trained, progress.reused, progress.failed) == (0, 10, 0)
    first, second = ({one.key for one in ledger.evaluations(name)} for name in ("first", "second"))
    assert first == second


def test_search_ends_by_time_by_training_time_or_when_the_front_stands_still(ledger: Ledger) -> None:
    table = make_table(sizes=(3, 4, 4, 3))
    progress = run_here(ledger, make_problem(table, sampler="random", seed=1), name="train", train_seconds=0.095)
    assert (progress.stop, progress.trained) == (Stop.TRAIN_TIME, 10)  # `instant` says it took 10 ms
    progress = run_here(ledger, make_problem(table, sampler="random", seed=2), name="still", patience=15, trials=144)
    assert progress.stop is Stop.STAGNATION
    assert 15 < progress.trained < 144
    begun = time.monotonic()
    progress = run_here(ledger, make_problem(table, sampler="random", seed=3), name="time", seconds=0.05)
    assert progress.stop is Stop.TIME
    assert 0.05 <= progress.seconds <= time.monotonic() - begun


def test_what_a_search_took_is_counted_over_all_its_runs(ledger: Ledger) -> None:
    problem = make_problem(make_table(sizes=(3, 4, 4, 3)), sampler="tpe", limit=500.0)
    run_here(ledger, problem, trials=5, work=search_works.sometimes_failing_rows)
    account = run_here(ledger, problem, trials=12, work=search_works.sometimes_failing_rows).account()
    trials = ledger.trials("study")
    states = Counter(trial.state for trial in trials)
    assert account["trainings"] + account["failures"] + account["reused"] == 12
    assert account["trainings"] == states[TrialState.DONE]
    assert account["rejected_asks"] == states[TrialState.REJECTED] > 0
    assert account["train_seconds"] == pytest.approx(0.01 * (account["trainings"] + account["failures"]))


@pytest.mark.slow
def test_another_seed_is_another_training(run: Runner) -> None:
    run(make_definition(), trials=3, name="first")
    progress = run(make_definition(seed=1), trials=3, name="second")
    assert progress.reused == 0


@pytest.mark.slow
def test_failed_candidates_are_kept_and_told_and_do_not_stop_the_search(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(sampler="tpe"), trials=20, work=search_works.sometimes_failing)
    assert progress.done == 20
    assert progress.failed > 0
    failed = [trial for trial in ledger.trials("study") if trial.state is TrialState.FAILED]
    assert {trial.evaluation.failure for trial in failed if trial.evaluation} == {Failure.DIVERGED}


def test_defect_in_the_first_trainings_stops_the_search_and_shows_it(run: Runner, ledger: Ledger) -> None:
    with pytest.raises(StudyStopped, match=r"first 3 trainings all failed \(bug\)(?s:.*)ZeroDivisionError"):
        run(make_definition(), trials=20, work=search_works.always_broken)
    kept = [(trial.attempts, trial.evaluation) for trial in ledger.trials("study") if trial.evaluation is not None]
    assert [attempts for attempts, _ in kept] == [1, 1, 1]
    assert all("ZeroDivisionError: a defect" in evaluation.traceback for _, evaluation in kept)


@pytest.mark.slow
def test_training_whose_worker_died_is_handed_out_again(run: Runner, ledger: Ledger) -> None:
    progress = run(make_definition(), trials=6, workers=2, work=search_works.dying_first)
    assert (progress.trained, progress.failed, progress.lost) == (6, 0, 6)
    assert {trial.attempts for trial in ledger.trials("study") if trial.state is TrialState.DONE} == {2}


@pytest.mark.slow
def test_search_whose_trainings_all_take_their_workers_down_stops_and_says_how(run: Runner, ledger: Ledger) -> None:
    said = r"first 3 trainings all failed \(node lost, each with 3 workers\): the worker .*SIGKILL"
    with pytest.raises(StudyStopped, match=said):
        run(make_definition(), trials=20, work=search_works.always_dying)
    failed = ledger.trials("study", {TrialState.FAILED})
    assert [trial.attempts for trial in failed] == [3, 3, 3]
    assert ledger.failures("study") == {Failure.NODE_LOST: 9}
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
    trained = [trial.architecture_id for trial in trials if trial.state is TrialState.DONE]
    assert len(trained) == len(set(trained)) == 5
    repeated = [trial for trial in trials if trial.state is TrialState.REUSED]
    assert repeated
    assert all(trial.evaluation is not None for trial in repeated)


@pytest.mark.slow
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


class Noting(InProcess):
    """Looks into the ledger whenever it is given a job, and ends several at a time."""

    def __init__(self, ledger: Ledger, *, workers: int) -> None:
        super().__init__(search_works.sometimes_failing_rows, workers=workers)
        self._ledger = ledger

    def submit(self, job: Job) -> None:
        number, _, attempt = job.id.partition(".")
        (record,) = (one for one in self._ledger.trials("study") if one.number == int(number))
        assert (record.state, record.attempts) == (TrialState.QUEUED, int(attempt))
        super().submit(job)

    def completed(self, timeout: float) -> list[Finished]:
        first, second = super().completed(timeout), super().completed(timeout)
        return first + second


def test_a_job_is_in_the_ledger_before_a_worker_has_it(ledger: Ledger) -> None:
    problem = make_problem(make_table(sizes=(3, 4, 4, 3)))
    ledger.create_study(StudyRecord(name="study", kind=StudyKind.SEARCH, definition={}, created="2026-01-01"))
    with Noting(ledger, workers=5) as executor:
        search = Search("study", problem, ledger=ledger, limits=Limits(trials=30))
        progress = Driver(search, executor=executor).run("here:1")
    assert progress.done == 30
    assert {one.state for one in ledger.trials("study")} == {TrialState.DONE, TrialState.FAILED}


class Crowded(InProcess):
    """Others have all the room: no job ever finds a worker."""

    withdrawn = 0

    def shortage(self) -> str:
        return "all room for one of 1 CPU is in use by others"

    def completed(self, timeout: float) -> list[Finished]:
        time.sleep(0.01)
        return []

    def cancel(self, job_id: str) -> None:
        self.withdrawn += 1
        super().cancel(job_id)


def test_jobs_that_never_had_a_worker_are_withdrawn_when_the_time_is_over_and_go_out_first(ledger: Ledger) -> None:
    problem = make_problem(make_table(sizes=(3, 4, 4, 3)), sampler="random")
    ledger.create_study(StudyRecord(name="study", kind=StudyKind.SEARCH, definition={}, created="2026-01-01"))
    with Crowded(search_works.instant, workers=3) as executor:
        search = Search("study", problem, ledger=ledger, limits=Limits(seconds=0.5))
        progress = Driver(search, executor=executor).run("here:1")
    waiting = [one.architecture_id for one in ledger.trials("study")]
    assert (progress.stop, progress.trained, progress.failed) == (Stop.TIME, 0, 0)
    assert executor.withdrawn == len(waiting) > 0
    run_here(ledger, problem, trials=len(waiting))
    trials = ledger.trials("study")
    assert [one.architecture_id for one in trials] == waiting
    assert {one.state for one in trials} == {TrialState.DONE}
