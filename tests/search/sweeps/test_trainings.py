from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import search_works

from nas.executors.base import Report
from nas.executors.local import LocalExecutor
from nas.ledger import Ledger
from nas.records import Evaluation, Failure, Job, StudyKind, TrialState
from nas.search.bench.in_process import InProcess
from nas.search.driver import Driver
from nas.search.sweeps.sweep_run import SweepRun
from nas.search.sweeps.trainings import Sweep, Training, open_study
from nas.space import load_space
from nas.train.checkpoint import checkpoint_name
from nas.train.recipe import Recipe

SPACE = load_space("tiny")
TWO = SPACE.sample(2, "5MFLOPs", seed=0)
RUNGS = Recipe(epochs=4, rungs=(1, 2))  # three of them


def make_sweep(*, seeds: int = 2, checkpoints: str | None = None, recipe: Recipe = RUNGS) -> Sweep:
    return Sweep(
        study="trained", kind=StudyKind.COMPARE, task=SPACE.task, data="digits", fingerprint="0" * 16,
        checkpoints=checkpoints,
        trainings=tuple(
            Training(
                label={"architecture": one.id, "seed": seed, "rung": fidelity.rung},
                architecture=one, recipe=recipe, seed=seed, rung=fidelity.rung,
            )
            for seed in range(seeds) for one in TWO for fidelity in recipe.fidelities
        ),
    )  # fmt: skip


class Watched:
    """An executor that remembers what was under way when a job came."""

    def __init__(self, inner: LocalExecutor) -> None:
        self._inner = inner
        self.under_way: dict[str, Job] = {}
        self.submitted: list[tuple[Job, list[Job]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def submit(self, job: Job) -> None:
        self.submitted.append((job, list(self.under_way.values())))
        self.under_way[job.id] = job
        self._inner.submit(job)

    def completed(self, timeout: float) -> Any:
        finished = self._inner.completed(timeout)
        for one in finished:
            del self.under_way[one.job_id]
        return finished


def run(sweep: Sweep, ledger: Ledger, work: Any = search_works.instant) -> Watched:
    open_study(ledger, sweep.study, sweep.kind, {"what": "a test"})
    with LocalExecutor(work, workers=2, preload=()) as executor:
        watched = Watched(executor)
        Driver(SweepRun(sweep, ledger), executor=watched).run("here:1")  # type: ignore[arg-type]
    return watched


class Here(InProcess):
    """One worker in this process that remembers its jobs, for works that are defined in a test."""

    def __init__(self, work: Callable[..., Evaluation]) -> None:
        super().__init__(work, workers=1)
        self.jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        super().submit(job)


def run_here(sweep: Sweep, ledger: Ledger, work: Callable[..., Evaluation]) -> list[Job]:
    open_study(ledger, sweep.study, sweep.kind, {"what": "a test"})
    executor = Here(work)
    Driver(SweepRun(sweep, ledger), executor=executor).run("here:1")
    return executor.jobs


def test_rung_waits_for_the_one_below_and_goes_on_from_its_checkpoint(ledger: Ledger, tmp_path: Path) -> None:
    jobs = run(make_sweep(checkpoints=str(tmp_path)), ledger, search_works.brief).submitted
    assert len(jobs) == 12
    for job, others in jobs:
        mine = [other.key.rung for other in others if other.checkpoint == job.checkpoint]
        assert not mine, f"rung {job.key.rung} was begun while rung {mine} was under way"
    by_training: dict[str | None, list[int]] = {}
    for job, _ in jobs:
        by_training.setdefault(job.checkpoint, []).append(job.key.rung)
    assert list(by_training.values()) == [[0, 1, 2]] * 4
    assert [job.key.seed for job, _ in jobs] == sorted(job.key.seed for job, _ in jobs)


def test_checkpoints_may_be_behind_a_url() -> None:
    sweep = make_sweep(checkpoints="memory://bucket/aside")
    place = sweep.job(sweep.trainings[0]).checkpoint
    assert place == f"memory://bucket/aside/{checkpoint_name(sweep.key(sweep.trainings[0]))}"


@pytest.mark.slow
def test_later_run_may_ask_for_more(ledger: Ledger) -> None:
    run(make_sweep(seeds=1), ledger)
    more = run(make_sweep(seeds=2), ledger).submitted
    assert {job.key.seed for job, _ in more} == {1}
    assert [trial.number for trial in ledger.trials("trained")] == list(range(12))


@pytest.mark.slow
def test_what_another_study_knows_is_not_trained(ledger: Ledger) -> None:
    run(make_sweep(), ledger)
    again = replace(make_sweep(), study="again")
    assert not run(again, ledger).submitted
    assert {trial.state for trial in ledger.trials("again")} == {TrialState.REUSED}


def diverging(job: Job, *, report: Report) -> Evaluation:
    if job.key.rung == 1 and job.key.seed == 0:
        return Evaluation(key=job.key, failure=Failure.DIVERGED, message="the loss is nan at step 3")
    return search_works.instant(job, report=report)


def broken(job: Job, *, report: Report) -> Evaluation:
    if job.key.rung == 1:
        return Evaluation(key=job.key, failure=Failure.BUG, message="a defect")
    return search_works.instant(job, report=report)


def failures(ledger: Ledger) -> dict[int, tuple[Failure | None, str]]:
    return {
        trial.choices["rung"]: (trial.evaluation.failure, trial.evaluation.message)
        for trial in ledger.trials("trained", {TrialState.FAILED})
        if trial.evaluation is not None
    }


def test_rung_above_a_failed_one_fails_with_it_and_divergence_is_final(ledger: Ledger) -> None:
    submitted = run_here(make_sweep(), ledger, diverging)
    assert (2, 0) not in {(job.key.rung, job.key.seed) for job in submitted}
    assert failures(ledger) == {
        1: (Failure.DIVERGED, "the loss is nan at step 3"),
        2: (Failure.DIVERGED, "rung 1 of this training failed: the loss is nan at step 3"),
    }
    assert not run_here(make_sweep(), ledger, diverging)


def test_defect_is_tried_again_by_the_next_call(ledger: Ledger) -> None:
    run_here(make_sweep(seeds=1), ledger, broken)
    assert set(failures(ledger)) == {1, 2}
    run_here(make_sweep(seeds=1), ledger, search_works.instant)
    assert not failures(ledger)
