"""Candidates are measured while the workers train: no worker waits for a measurement that could have been made before.

Time is counted in ticks here: of trainings in an executor of this process, and of a gauge that measures for some.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import search_works
from search_runs import make_definition

from nas.architecture import Architecture
from nas.cost import Budget
from nas.executors.base import Finished
from nas.ledger import Ledger
from nas.records import Job, LatencyKey, LatencyRecord, StudyKind, StudyRecord, TrialState
from nas.search.bench.in_process import InProcess
from nas.search.driver import Driver
from nas.search.search import Search
from nas.search.space_domain import SpaceDomain
from nas.search.stopping import Limits

WORKERS, TRIALS, TRAINING = 3, 15, 30
METRIC = "latency@q"
DEFINITION = make_definition(budget=Budget.parse(["30MFLOPs", "3ms@q"]))
KEY = LatencyKey(profile="q", resolution=32, channels=3, classes=10, device="a", runtime="b")


class Workers(InProcess):
    """Trainings of some ticks each."""

    def __init__(self) -> None:
        super().__init__(search_works.instant, workers=WORKERS)
        self.idle: list[int] = []  # free workers at every tick
        self.submitted: list[int] = []  # when jobs came
        self._ends: dict[str, int] = {}

    def tick(self) -> None:
        self.idle.append(self.capacity)

    def submit(self, job: Job) -> None:
        super().submit(job)
        self.submitted.append(len(self.idle))
        self._ends[job.id] = len(self.idle) + TRAINING

    def completed(self, timeout: float) -> list[Finished]:
        if timeout:
            self.tick()
        over = [one for one in self._jobs if self._ends[one.id] <= len(self.idle)]
        return [finished for _ in over for finished in super(Workers, self).completed(timeout)]


class Gauge:
    """Measures for some ticks."""

    metrics = (METRIC,)

    def __init__(self, workers: Workers, ticks: int) -> None:
        self.alive: Callable[[], None] = lambda: None
        self.measured: list[str] = []
        self._workers, self._ticks = workers, ticks

    def foretold(self, metric: str, architecture: Architecture) -> None:
        """Nothing is predicted."""

    def shortage(self) -> str:
        return ""

    def records(self, architecture: Architecture) -> dict[str, LatencyRecord]:
        for _ in range(self._ticks):
            self._workers.tick()
            self.alive()
        self.measured.append(architecture.id)
        ms = float(int(architecture.id, 16) % 4 + 1)  # three of four within budget
        record = LatencyRecord(
            architecture_id=architecture.id, key=KEY, profile_name="q", protocol={}, measured="2026", load=0.0, ms=ms
        )
        return {METRIC: record}


def run(ledger: Ledger, *, measuring: int = 6, asks_ahead: bool = True, **limits: float) -> tuple[Workers, Gauge]:
    """Begin the study or go on with it."""
    if "ahead" not in {study.name for study in ledger.studies()}:
        ledger.create_study(StudyRecord(name="ahead", kind=StudyKind.SEARCH, definition={}, created="2026-01-01"))
    workers = Workers()
    gauge = Gauge(workers, measuring)
    domain = SpaceDomain(DEFINITION.space, DEFINITION.budget, DEFINITION.task, gauge=gauge)  # type: ignore[arg-type]
    problem = replace(DEFINITION.problem(), domain=domain)
    search = Search("ahead", problem, ledger=ledger, limits=Limits(**limits), gauge=gauge)  # type: ignore[arg-type]
    Driver(search, executor=workers, asks_ahead=asks_ahead).run("here:1")
    return workers, gauge


def idle_ticks(workers: Workers) -> int:
    """Of all workers together, from when all had their first job to when the last one was given."""
    return sum(workers.idle[workers.submitted[WORKERS - 1] : workers.submitted[-1]])


def count(ledger: Ledger, state: TrialState) -> int:
    return sum(one.state is state for one in ledger.trials("ahead"))


@pytest.mark.parametrize("measuring", [pytest.param(1, marks=pytest.mark.slow), 6])
def test_no_worker_waits_once_all_have_begun(ledger: Ledger, measuring: int) -> None:
    workers, gauge = run(ledger, measuring=measuring, trials=TRIALS)
    assert idle_ticks(workers) <= len(workers.submitted)  # one each, until the driver looks
    assert len(gauge.measured) == len(set(gauge.measured)), "an architecture was measured twice"
    assert {one.architecture_id for one in ledger.trials("ahead")} == set(gauge.measured)
    assert count(ledger, TrialState.DONE) == TRIALS
    assert count(ledger, TrialState.REJECTED)


@pytest.mark.slow
def test_measured_in_turn_every_training_waits(ledger: Ledger) -> None:
    workers, _ = run(ledger, trials=TRIALS, asks_ahead=False)
    assert idle_ticks(workers) >= 6 * (TRIALS - WORKERS)


@pytest.mark.slow
def test_a_slow_gauge_keeps_workers_waiting_for_itself_alone(ledger: Ledger) -> None:
    """With measurements longer than trainings, one network after the other is measured without a pause."""
    workers, gauge = run(ledger, measuring=2 * TRAINING, trials=5)
    assert workers.submitted[-1] - workers.submitted[0] <= 2 * TRAINING * (len(gauge.measured) - 1) + 5


def test_what_is_measured_when_the_time_is_up_is_trained_first_by_the_next_run(ledger: Ledger) -> None:
    run(ledger, train_seconds=0.035)  # four trainings
    waiting = [one.architecture_id for one in ledger.trials("ahead") if one.state is TrialState.QUEUED]
    assert 1 <= len(waiting) <= WORKERS
    done = count(ledger, TrialState.DONE)
    _, gauge = run(ledger, trials=done + len(waiting))
    assert gauge.measured == []
    assert count(ledger, TrialState.DONE) == done + len(waiting)
