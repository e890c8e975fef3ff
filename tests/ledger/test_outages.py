"""The ledger and Optuna's copy of a study against a server that is away, and wires that are cut."""

from __future__ import annotations

import itertools
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from postgres_servers import cleared_postgres, postgres, restart
from sqlalchemy.exc import OperationalError
from wire import Wire, wire_to

from nas.errors import LedgerError, StudyError
from nas.ledger import Ledger, patience
from nas.ledger.patience import Patience
from nas.ledger.tables import metadata
from nas.pulse import Pulse
from nas.records import Failure, TrialState

pytestmark = pytest.mark.postgres

# moments, and the name of a lease
NOT_COMPARED = {"asked", "created", "finished", "renewed", "since", "submitted", "token", "updated", "written"}


@pytest.fixture
def wire(postgres_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.002)
    cleared_postgres(postgres_server)
    with wire_to(postgres_server.get_uri()) as wire:
        yield wire


@pytest.fixture(scope="module")
def own_server() -> Iterator[Any]:
    """A server that a test may stop."""
    with (
        tempfile.TemporaryDirectory(prefix="nas-pg-", ignore_cleanup_errors=True) as folder,
        postgres(Path(folder)) as server,
    ):
        yield server


def everything(url: str) -> dict[str, list[dict[str, Any]]]:
    """The content of all our tables."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: [
                {name: repr(value) for name, value in row._mapping.items() if name not in NOT_COMPARED}
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
        }
    engine.dispose()
    identities = {row["id"]: str(index) for index, row in enumerate(found["nas_evaluations"])}  # sequences have gaps
    for row in found["nas_evaluations"]:
        row["id"] = identities[row["id"]]
    for row in found["nas_trials"]:
        row["evaluation"] = identities.get(row["evaluation"], row["evaluation"])
    return found


def every_change(ledger: Ledger, records: Any) -> list[Any]:
    """Call everything that writes; what it returned."""
    ledger.create_study(records.study("alpha"))
    diverged = records.failure("a2", Failure.DIVERGED, curve=(1.0, float("nan")))
    said: list[Any] = []
    with ledger.lease("alpha", holder="here:1") as lease:
        records.write(ledger, *(records.trial(number, f"a{number}") for number in range(4)))
        for number, attempts in ((0, 1), (1, 1), (1, 2)):
            records.submit(ledger, number, attempts)
        said.append(ledger.finish("alpha", 0, records.success("a0"), TrialState.DONE))
        said.append(ledger.finish("alpha", 1, records.success("a1"), TrialState.STOPPED))
        later = records.failure("a1", key=records.key("a1", rung=1))
        said.append(ledger.finish("alpha", 1, later, TrialState.FAILED))
        said.append(repr(ledger.finish("alpha", 2, diverged, TrialState.FAILED)))
        said.append(repr(ledger.finish("alpha", 3, records.failure("a3", Failure.NODE_LOST), TrialState.QUEUED)))
        known = records.trial(4, "a2", TrialState.FAILED, evaluation=diverged)
        records.write(ledger, known, records.trial(5, "a0", TrialState.REUSED, evaluation=records.success("a0")))
        said.append(ledger.save_report("alpha", "a0", "test", {"accuracy": 0.5}))
        ledger.set_weights(records.key("a0"), "elsewhere")
        ledger.record_loss("alpha", records.failure("a3", Failure.NODE_LOST, message="gone"))
        ledger.save_pulse(Pulse(study="alpha", driver="here:1"))
        lease.renew()
    said.append(repr(ledger.trials("alpha")))
    return said


@pytest.mark.parametrize(
    "cuts",
    [*(pytest.param(one, marks=pytest.mark.slow) for one in (("before",), ("after",))), ("after", "before", "after")],
    ids="-".join,
)
def test_every_change_happens_once_however_often_its_connection_is_lost(
    wire: Wire, postgres_server: Any, records: Any, monkeypatch: pytest.MonkeyPatch, cuts: tuple[str, ...]
) -> None:
    monkeypatch.setattr("nas.ledger.leases.RENEW_SECONDS", -1.0)
    with Ledger.open(wire.url) as ledger:
        returned = every_change(ledger, records)
    undisturbed = everything(wire.url)
    cleared_postgres(postgres_server)
    with Ledger.open(wire.url) as ledger:
        wire.cuts = [*cuts, None] * 100
        assert every_change(ledger, records) == returned
        assert 100 - len(wire.cuts) / (len(cuts) + 1) == 19, "a change was not cut"
        wire.cuts.clear()
    assert everything(wire.url) == undisturbed


def test_a_study_of_another_is_not_taken_for_our_own(wire: Wire, records: Any) -> None:
    with Ledger.open(wire.url) as ledger:
        ledger.create_study(records.study("alpha"))
        wire.cuts = ["before", None]
        with pytest.raises(StudyError, match="'alpha' exists already"):
            ledger.create_study(records.study("alpha", created="2027-01-01T00:00:00+00:00"))


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_while_the_server_crashes_and_comes_back(own_server: Any, records: Any) -> None:
    url = cleared_postgres(own_server)
    heard: list[str] = []
    stop = threading.Event()
    acknowledged: list[int] = []

    def hammer() -> None:
        with Ledger.open(url, notify=heard.append) as ledger:
            ledger.create_study(records.study("alpha"))
            with ledger.lease("alpha", holder="here:1"):
                for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
                    records.write(ledger, records.trial(number, f"a{number}"))
                    records.submit(ledger, number)
                    ledger.finish("alpha", number, records.success(f"a{number}"), TrialState.DONE)
                    acknowledged.append(number)

    def written(more: int) -> None:
        target = len(acknowledged) + more
        while len(acknowledged) < target and writer.is_alive():
            time.sleep(0.01)

    writer = threading.Thread(target=hammer)
    writer.start()
    written(5)
    restart(own_server, meanwhile=lambda: _until(lambda: bool(heard)))
    written(5)
    stop.set()
    writer.join()
    with Ledger.read(url) as ledger:
        trials = ledger.trials("alpha")
        assert [one.number for one in trials] == acknowledged == list(range(len(trials)))
        assert all((one.state, one.attempts) == (TrialState.DONE, 1) for one in trials)
        assert len(ledger.evaluations()) == len(trials)
    assert len(heard) == 2
    assert heard[0].startswith("waiting up to 5 min 00 s for ledger postgresql+psycopg://postgres:***@")
    assert "is back after" in heard[1]


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)


@pytest.mark.slow
def test_optunas_copy_catches_up_and_holds_nothing_twice(wire: Wire, postgres_server: Any, records: Any) -> None:
    import optuna

    from nas.search.objectives import Objectives
    from nas.search.optuna.mirror import Mirror

    heard: list[str] = []
    trials = [records.trial(number, f"a{number}", TrialState.REJECTED, choices={}) for number in range(6)]
    name = f"copied-{random.random()}"
    mirror = Mirror(wire.url, name, {}, Objectives(), notify=heard.append)

    def copy(count: int) -> None:
        for trial in trials[:count]:
            mirror.note(trial)
        mirror.copy()

    copy(2)
    for step, cut in ((4, "after"), (5, "before"), (6, "after")):
        wire.cuts = [cut]
        copy(step)
        assert not mirror.is_due()
    copy(len(trials))
    mirror.close()
    storage = optuna.storages.RDBStorage(postgres_server.get_uri(driver="psycopg"))
    copied = optuna.load_study(study_name=name, storage=storage).trials
    storage.remove_session()
    storage.engine.dispose()
    assert [one.user_attrs["architecture"] for one in copied] == [one.architecture_id for one in trials]
    assert len(heard) == 1
    assert "s3cret" not in heard[0]


# --- what is not waited for


def test_a_wrong_password_is_said_at_once_and_never_shown(own_server: Any, records: Any) -> None:
    cleared_postgres(own_server)
    rules = own_server.pgdata / "pg_hba.conf"
    before = rules.read_text()
    own_server.psql("CREATE ROLE bob SUPERUSER LOGIN PASSWORD 'right-s3cret'")
    rules.write_text("local all bob scram-sha-256\n" + before)
    own_server.psql("SELECT pg_reload_conf()")
    address = own_server.get_uri(driver="psycopg").replace("postgres:@", "bob:{}@")
    try:
        with pytest.raises(LedgerError, match="password authentication failed") as wrong:
            Ledger.open(address.format("wrong-s3cret"))
        with Ledger.open(address.format("right-s3cret")) as ledger:
            ledger.create_study(records.study("alpha"))
            own_server.psql("ALTER ROLE bob PASSWORD 'other-s3cret'")
            own_server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bob'")
            with pytest.raises(LedgerError, match="password authentication failed") as changed:
                ledger.studies()
    finally:
        rules.write_text(before)
        own_server.psql("SELECT pg_reload_conf()")
        own_server.psql("DROP ROLE bob")
    for said in (str(wrong.value), str(changed.value)):
        assert "bob:***@" in said
        assert "s3cret" not in said


def test_a_database_that_is_gone_is_said_at_once(own_server: Any) -> None:
    own_server.psql("CREATE DATABASE shortlived")
    with Ledger.open(own_server.get_uri(database="shortlived", driver="psycopg")) as ledger:
        own_server.psql("DROP DATABASE shortlived WITH (FORCE)")
        with pytest.raises(LedgerError, match='database "shortlived" does not exist'):
            ledger.studies()


def test_opening_waits_for_a_server_that_restarts(own_server: Any) -> None:
    heard: list[str] = []
    opened: list[Ledger] = []

    def open_ledger() -> None:
        opened.append(Ledger.open(own_server.get_uri(driver="psycopg"), notify=heard.append))

    opening = threading.Thread(target=open_ledger)

    def meanwhile() -> None:
        opening.start()
        while not heard:
            time.sleep(0.01)

    restart(own_server, meanwhile=meanwhile)
    opening.join(timeout=30)
    with opened[0] as ledger:
        ledger.studies()
    assert "waiting up to 10.0 s" in heard[0]
    assert "is back after" in heard[1]


def test_opening_gives_up(own_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.ledger.database.OPENING_SECONDS", 0.3)

    def refused() -> None:
        with pytest.raises(LedgerError, match=r"the server was away .*No such file.*check the address"):
            Ledger.open(own_server.get_uri(driver="psycopg"))

    restart(own_server, meanwhile=refused)


def test_options_that_the_server_does_not_know_are_reported(own_server: Any) -> None:
    with pytest.raises(LedgerError, match='invalid connection option "colour"'):
        Ledger.open(own_server.get_uri(driver="psycopg") + "&colour=blue")


# --- the waiting itself


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


def away() -> Any:
    raise OperationalError(None, None, psycopg.OperationalError("connection refused"))


def test_pauses_grow_and_the_patience_ends() -> None:
    clock, heard = Clock(), []
    wait = Patience("here", 60.0, heard.append, rng=random.Random(0), clock=clock, sleep=clock.sleep)
    with pytest.raises(
        LedgerError,
        match=r"away for more than 1 min 00 s: connection refused; check .* what was stored is safe",
    ):
        wait(away)
    assert 55.0 - 5.0 < clock.now <= 60.0
    assert clock.pauses[0] <= 0.1
    assert max(clock.pauses) <= 5.0
    assert all(later <= 4 * sooner for sooner, later in itertools.pairwise(clock.pauses))
    assert heard == ["waiting up to 1 min 00 s for ledger here: connection refused"]


def test_a_short_interruption_is_not_worth_a_word() -> None:
    clock, heard, answers = Clock(), [], iter([away, lambda: 7])
    wait = Patience("here", 60.0, heard.append, rng=random.Random(0), clock=clock, sleep=clock.sleep)
    assert wait(lambda: next(answers)()) == 7
    assert heard == []


def test_many_drivers_do_not_come_back_at_the_same_moment() -> None:
    pauses = []
    for seed in range(2):
        clock = Clock()
        with pytest.raises(LedgerError):
            Patience("here", 9.0, rng=random.Random(seed), clock=clock, sleep=clock.sleep)(away)
        pauses.append(clock.pauses)
    assert pauses[0] != pauses[1]
