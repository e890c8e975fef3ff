"""What every kind of study owes to its one driver: each test here runs for all of them."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import search_works
import study_kinds
from study_kinds import SOURCES, Work

from nas.errors import LedgerError, StudyError
from nas.executors.local import LocalExecutor
from nas.ledger import Driving, Ledger, patience
from nas.pulse import Pulse
from nas.records import Failure, StudyKind, TrialState
from nas.search import driver
from nas.search.bench.in_process import InProcess
from nas.search.driver import MOST_LOSSES, Driver, Source, StudyStopped, Watch
from nas.search.pulse import Progress

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

# A comparison and a trust run are sweeps of the same class, which tests of sweeps run quickly.
_QUICK = (StudyKind.SEARCH, StudyKind.REFINE)
_KINDS = [pytest.param(kind, marks=[pytest.mark.slow] * (kind not in _QUICK)) for kind in SOURCES]
pytestmark = pytest.mark.parametrize("kind", _KINDS)
ENDED = {TrialState.DONE, TrialState.STOPPED, TrialState.REUSED, TrialState.REJECTED}


def run(
    kind: StudyKind, ledger: Ledger, work: Work, *, workers: int = 1, watch: Watch = lambda progress: None, **more: Any
) -> Source:
    """Begin a study or go on with it."""
    source = SOURCES[kind](ledger)
    with InProcess(work, workers=workers) as executor:
        Driver(source, executor=executor, watch=watch, **more).run("here:1")
    return source


def content(kind: StudyKind, ledger: Ledger) -> list[tuple[Any, ...]]:
    """The trials, without how often they were begun."""
    study = SOURCES[kind](ledger).writer.study
    return [
        (one.number, one.architecture_id, one.choices, one.cost, one.state, one.evaluation)
        for one in ledger.trials(study)
    ]


@pytest.fixture
def whole(kind: StudyKind, tmp_path: Path) -> list[tuple[Any, ...]]:
    """What a run comes to that is left alone, one training after the other."""
    with Ledger.open(f"sqlite:///{tmp_path}/whole.db") as ledger:
        run(kind, ledger, Work())
        return content(kind, ledger)


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_it_runs_to_the_end_and_trains_nothing_twice(kind: StudyKind, ledger: Ledger, workers: int) -> None:
    work = Work()
    source = run(kind, ledger, work, workers=workers)
    trials = ledger.trials(source.writer.study)
    assert len(work.done) == len(set(work.done)) >= 6
    assert {one.state for one in trials} <= ENDED
    for key in work.done:
        kept = ledger.find(key)
        assert kept is not None
        assert kept.accuracy == study_kinds.accuracy_of(key)
    assert source.progress().done == source.progress().target
    again = Work()
    run(kind, ledger, again, workers=workers)
    assert again.done == []


@pytest.mark.parametrize(
    "stops", [*(pytest.param(one, marks=pytest.mark.slow) for one in ([0], [1, 1, 1])), [4, 0, 3]], ids=str
)
def test_interrupted_and_resumed_is_uninterrupted(
    kind: StudyKind, ledger: Ledger, whole: list[tuple[Any, ...]], stops: list[int]
) -> None:
    done = []
    for stop in stops:
        work = Work(interrupt_after=stop)
        with suppress(KeyboardInterrupt):
            run(kind, ledger, work)
        done += work.done
    last = Work()
    run(kind, ledger, last)
    assert content(kind, ledger) == whole
    assert len([*done, *last.done]) == len({*done, *last.done})


def test_side_by_side_an_interruption_costs_nothing_that_was_finished(kind: StudyKind, ledger: Ledger) -> None:
    first, second = Work(interrupt_after=5), Work()
    with pytest.raises(KeyboardInterrupt):
        run(kind, ledger, first, workers=3)
    source = run(kind, ledger, second, workers=3)
    assert not set(first.done) & set(second.done)
    assert {one.state for one in ledger.trials(source.writer.study)} <= ENDED


def test_a_lost_workers_job_goes_out_again(kind: StudyKind, ledger: Ledger, whole: list[tuple[Any, ...]]) -> None:
    work = Work(losses=lambda key: MOST_LOSSES - 1 if key.rung == 0 else 1)
    study = run(kind, ledger, work).writer.study
    assert content(kind, ledger) == whole
    lost = sum(work.tried.values()) - len(work.done)
    assert ledger.failures(study) == {Failure.NODE_LOST: lost}
    assert sum(one.attempts for one in ledger.trials(study)) == sum(work.tried.values())


def test_who_always_loses_its_worker_fails_and_holds_up_nobody(kind: StudyKind, ledger: Ledger) -> None:
    cursed: list[Any] = []

    def losses(key: Any) -> int:
        cursed.extend([key] if not cursed else [])
        return 99 if key == cursed[0] else 0

    work, pulses = Work(losses=losses), list[Pulse]()
    study = run(kind, ledger, work, workers=2, listen=pulses.append).writer.study
    assert work.tried[cursed[0]] == MOST_LOSSES
    failed = ledger.trials(study, {TrialState.FAILED})
    assert {one.evaluation.failure for one in failed if one.evaluation is not None} == {Failure.NODE_LOST}
    assert {one.architecture_id for one in failed} == {cursed[0].architecture_id}
    assert {one.state for one in ledger.trials(study)} <= {*ENDED, TrialState.FAILED}
    assert pulses[-1].lost == MOST_LOSSES


def test_it_stops_where_every_training_loses_its_worker(kind: StudyKind, ledger: Ledger) -> None:
    work = Work(losses=lambda key: 99)
    with pytest.raises(StudyStopped, match=r"trainings all failed \(node lost, each with 3 workers"):
        run(kind, ledger, work, workers=2)
    assert sum(work.tried.values()) <= 4 * MOST_LOSSES
    source = run(kind, ledger, Work())  # mended, it goes on
    assert source.progress().done == source.progress().target


def test_workers_that_are_killed_are_lost_workers(kind: StudyKind, ledger: Ledger) -> None:
    """Real processes, a real SIGKILL."""
    source = SOURCES[kind](ledger)
    with LocalExecutor(search_works.dying_now_and_then, workers=2, preload=()) as executor:
        progress = Driver(source, executor=executor).run("here:1")
    assert progress.lost > 0
    assert progress.failed == 0
    assert {one.state for one in ledger.trials(source.writer.study)} <= ENDED


def test_a_pulse_is_written_while_it_runs_and_when_it_ends(
    kind: StudyKind, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_BEAT", 0.0)
    pulses: list[Pulse] = []
    study = SOURCES[kind](ledger).writer.study
    seen: list[Any] = []

    def listen(pulse: Pulse) -> None:
        pulses.append(pulse)
        seen.append(ledger.status(study))

    source = run(kind, ledger, Work(losses=lambda key: int(key.rung == 0)), workers=3, listen=listen)
    assert {status.driving for status in seen} == {Driving.RUNNING}
    assert [status.pulse for status in seen] == pulses
    assert any(pulse.busy for pulse in pulses)
    assert {pulse.target for pulse in pulses} == {source.progress().target}
    first, last = pulses[0], pulses[-1]
    assert not first.busy
    assert not last.busy
    assert first.best_accuracy is None
    assert last.best_accuracy is not None
    assert last.lost == last.failures[Failure.NODE_LOST] > 0
    assert (last.stop, last.driver, last.slots) == (source.progress().stop, "here:1", 3)
    assert last.stop is not None
    counted = ledger.status(study)
    assert counted.driving is Driving.IDLE
    assert counted.pulse.trials == last.trials
    assert counted.pulse.best_accuracy == last.best_accuracy


def test_one_driver_at_a_time_has_the_study(kind: StudyKind, ledger: Ledger) -> None:
    study = SOURCES[kind](ledger).writer.study
    with ledger.lease(study, holder="elsewhere:1"), pytest.raises(StudyError, match="elsewhere:1"):
        run(kind, ledger, Work())
    refused: list[str] = []

    def intrude(progress: Progress) -> None:
        if not refused:
            with pytest.raises(StudyError, match="here:1") as error, ledger.lease(study, holder="elsewhere:2"):
                pass
            refused.append(str(error.value))

    run(kind, ledger, Work(), watch=intrude)
    assert refused


def test_who_has_lost_the_study_writes_nothing_more_and_it_can_be_resumed(
    kind: StudyKind, ledger: Ledger, tmp_path: Path, whole: list[tuple[Any, ...]]
) -> None:
    work = Work()

    def take_over(progress: Progress) -> None:
        if len(work.done) == 3:
            with sqlite3.connect(tmp_path / "nas.db") as connection:
                connection.execute("UPDATE nas_leases SET token = 'stolen', holder = 'elsewhere:1'")
            connection.close()

    with pytest.raises(StudyError, match="was taken over by elsewhere:1"):
        run(kind, ledger, work, watch=take_over)
    assert len(work.done) == 3  # no further job has gone to a worker
    with sqlite3.connect(tmp_path / "nas.db") as connection:
        connection.execute("DELETE FROM nas_leases")
    connection.close()
    run(kind, ledger, Work())
    assert content(kind, ledger) == whole


def test_a_database_that_is_locked_for_a_while_is_waited_for(
    kind: StudyKind, ledger: Ledger, tmp_path: Path, whole: list[tuple[Any, ...]]
) -> None:
    work, locked = Work(), threading.Event()

    def lock() -> None:
        connection = sqlite3.connect(tmp_path / "nas.db", isolation_level=None, timeout=10)
        connection.execute("BEGIN IMMEDIATE")
        locked.set()
        time.sleep(0.3)
        connection.execute("ROLLBACK")
        connection.close()

    other = threading.Thread(target=lock)

    def watch(progress: Progress) -> None:
        if len(work.done) == 3 and not locked.is_set():
            other.start()
            locked.wait()

    run(kind, ledger, work, watch=watch)
    other.join()
    assert content(kind, ledger) == whole
    assert len(work.done) == len(set(work.done))


def test_a_database_that_fails_for_good_ends_it_with_one_message_and_it_can_be_resumed(
    kind: StudyKind, tmp_path: Path, whole: list[tuple[Any, ...]]
) -> None:
    """A disk that is full: SQLite may not take another page."""
    work, url = Work(epochs=5000), f"sqlite:///{tmp_path}/full.db"
    with Ledger.open(url) as ledger:

        def fill(progress: Progress) -> None:
            if len(work.done) == 2:
                (pages,) = (row[0] for row in _on_each(ledger, "PRAGMA page_count"))
                _on_each(ledger, f"PRAGMA max_page_count = {pages}")

        with pytest.raises(LedgerError, match="the disk is full"):
            run(kind, ledger, work, watch=fill)
    with Ledger.open(url) as ledger:
        run(kind, ledger, Work())
        assert [trial[:-1] for trial in content(kind, ledger)] == [trial[:-1] for trial in whole]


def _on_each(ledger: Ledger, statement: str) -> list[Any]:
    """Execute something on the ledger's own connection."""
    with ledger._database.engine.connect() as connection:
        return list(connection.exec_driver_sql(statement))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A wire to a PostgreSQL server that can be cut."""
    from postgres_servers import cleared_postgres, postgres
    from wire import wire_to

    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.002)
    with (
        tempfile.TemporaryDirectory(prefix="nas-pg-", ignore_cleanup_errors=True) as folder,
        postgres(Path(folder)) as server,
    ):
        cleared_postgres(server)
        with wire_to(server.get_uri()) as connected:
            yield connected


@pytest.mark.slow
@pytest.mark.postgres
def test_a_server_that_is_away_again_and_again_changes_nothing(
    kind: StudyKind, wire: Any, whole: list[tuple[Any, ...]]
) -> None:
    work = Work()
    with Ledger.open(wire.url) as ledger:
        SOURCES[kind](ledger)
        wire.cuts = ["before", None, "after", None] * 200
        with suppress(KeyboardInterrupt):
            run(kind, ledger, work)
        assert len(wire.cuts) < 780, "hardly anything was cut"
        wire.cuts.clear()
        assert content(kind, ledger) == whole
    assert len(work.done) == len(set(work.done))
