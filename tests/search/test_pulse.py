from __future__ import annotations

import http.client
from typing import Any

import pytest
import search_works
from search_runs import make_definition, run_here
from search_tables import make_problem, make_table

from nas.executors.local import LocalExecutor
from nas.ledger import Driving, Ledger
from nas.pulse import Pulse
from nas.records import Failure, StudyKind, StudyRecord, TrialState
from nas.report.metrics import MetricsServer, Place
from nas.search import driver
from nas.search.bench.in_process import InProcess
from nas.search.driver import Driver
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.train.recipe import Recipe


def test_a_search_says_how_it_ended(ledger: Ledger) -> None:
    problem = make_problem(make_table(sizes=(3, 4, 4, 3)), sampler="random", limit=500.0)
    progress = run_here(ledger, problem, trials=12, work=search_works.sometimes_failing_rows)
    status = ledger.status("study")
    assert (status.driving, status.driver, status.pulse.stop) == (Driving.IDLE, "here:1", "trials")
    records = ledger.trials("study")
    assert status.pulse.trials == {state: n for state in TrialState if (n := sum(r.state is state for r in records))}
    assert status.pulse.failures == {Failure.DIVERGED: progress.failed}
    assert (status.pulse.best, status.pulse.best_accuracy) == (progress.best_id, progress.best_accuracy)
    assert status.pulse.train_seconds == pytest.approx(progress.train_seconds)
    assert status.pulse.front


def test_a_running_search_is_seen_in_the_ledger_and_over_http(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real workers; a reader of the ledger and a real request meanwhile."""
    monkeypatch.setattr(driver, "_BEAT", 0.0)
    definition = make_definition(recipe=Recipe(epochs=3, rungs=[1]))
    ledger.create_study(
        StudyRecord(name="study", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00")
    )
    pulses: list[Pulse] = []
    seen: list[Any] = []
    with (
        MetricsServer(Place("127.0.0.1", 0)) as server,
        LocalExecutor(search_works.dying_now_and_then, workers=2, preload=()) as executor,
    ):

        def listen(pulse: Pulse) -> None:
            pulses.append(pulse)
            server.tell(pulse)
            if pulse.busy and not seen:
                seen.extend((ledger.status("study"), page(server.place)))

        search = Search("study", definition.problem(), ledger=ledger, limits=Limits(trials=9))
        Driver(search, executor=executor, listen=listen).run("here:1")
    status, text = seen
    assert (status.driving, status.driver) == (Driving.RUNNING, "here:1")
    assert status.pulse == next(pulse for pulse in pulses if pulse.busy)
    assert {worker.architecture_id for worker in status.pulse.busy} <= {
        one.architecture_id for one in ledger.trials("study")
    }
    assert f'state="busy",study="study"}} {len(status.pulse.busy)}.0\n' in text
    assert pulses[0].trials == {}
    last = pulses[-1]
    assert (last.stop, last.busy) == ("trials", ())
    assert last.lost == last.failures[Failure.NODE_LOST] > 0
    low, high = last.rungs
    assert low.arrived == 9
    assert (low.promoted, low.promoted + low.waiting) == (high.arrived, low.arrived)


def page(place: Place) -> str:
    connection = http.client.HTTPConnection(place.host, place.port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_workers_in_this_process_are_this_process() -> None:
    problem = make_problem(make_table())
    with InProcess(search_works.instant, workers=2) as executor:
        executor.submit(problem.proxy.job("1.1", "a1", {}, 0, weights=None))
        busy, idle = executor.worker_states()
    assert (busy.job, busy.architecture_id, idle.is_busy, busy.name) == ("1.1", "a1", False, idle.name)
