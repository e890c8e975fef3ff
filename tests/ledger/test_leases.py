from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from nas.errors import StudyError
from nas.ledger import Driving, Ledger, leases
from nas.ledger.leases import LEASE_SECONDS, RENEW_SECONDS
from nas.ledger.tables import leases as lease_table
from nas.records import TrialState

HERE = socket.gethostname()
ME = f"{HERE}:{os.getpid()}"


def age(url: str, seconds: float) -> None:
    """Let every lease be `seconds` older, as if its holder had been silent."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.update(lease_table).values(renewed=lease_table.c.renewed - seconds))
    engine.dispose()


def let_time_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the next `renew` of a lease write."""
    monkeypatch.setattr(leases, "RENEW_SECONDS", -1.0)


def test_a_second_driver_is_told_who_drives_and_since_when(ledger: Ledger, url: str) -> None:
    with (
        ledger.lease("alpha", holder=ME),
        Ledger.open(url) as other,
        pytest.raises(StudyError, match=rf"'alpha' is being driven by {ME} since \d{{4}}-.*free in (30|29) s"),
        other.lease("alpha", holder=f"{HERE}:1"),
    ):
        pass


def test_a_lease_that_was_given_back_is_free(ledger: Ledger) -> None:
    for _ in range(2):
        with ledger.lease("alpha", holder=ME):
            pass
    with pytest.raises(KeyboardInterrupt), ledger.lease("alpha", holder=ME):
        raise KeyboardInterrupt
    with ledger.lease("alpha", holder=ME):
        pass


def test_other_studies_are_free(ledger: Ledger, records: Any) -> None:
    ledger.create_study(records.study("beta"))
    with ledger.lease("alpha", holder=ME), ledger.lease("beta", holder=ME):
        pass


def test_a_dead_process_of_this_host_holds_nothing(ledger: Ledger) -> None:
    driver = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    held = ledger.lease("alpha", holder=f"{HERE}:{driver.pid}")
    held.__enter__()
    with pytest.raises(StudyError, match=f"driven by {HERE}:{driver.pid}"), ledger.lease("alpha", holder=ME):
        pass
    driver.kill()
    driver.communicate()
    with ledger.lease("alpha", holder=ME):
        pass


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells")
def test_a_killed_process_is_dead_before_its_parent_has_looked(ledger: Ledger) -> None:
    driver = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    held = ledger.lease("alpha", holder=f"{HERE}:{driver.pid}")
    held.__enter__()
    driver.kill()
    assert driver.stdout is not None
    driver.stdout.read()  # ends when the process has
    while "Z" not in Path(f"/proc/{driver.pid}/stat").read_text().rpartition(")")[2]:
        pass
    with ledger.lease("alpha", holder=ME):
        pass
    driver.communicate()


def test_a_process_of_another_host_is_believed_until_it_is_silent_too_long(ledger: Ledger, url: str) -> None:
    held = ledger.lease("alpha", holder="elsewhere:999999999")
    held.__enter__()
    age(url, LEASE_SECONDS - 10)
    with pytest.raises(StudyError, match=r"elsewhere:999999999.*free in (10|9) s"), ledger.lease("alpha", holder=ME):
        pass
    age(url, 11)
    with ledger.lease("alpha", holder=ME):
        pass


def test_renewing_keeps_a_lease(ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger.lease("alpha", holder="elsewhere:1") as lease:
        age(url, LEASE_SECONDS + 1)
        let_time_pass(monkeypatch)
        lease.renew()
        with pytest.raises(StudyError, match="driven by elsewhere:1"), ledger.lease("alpha", holder=ME):
            pass


def test_renewing_too_often_costs_nothing(ledger: Ledger, url: str) -> None:
    with ledger.lease("alpha", holder="elsewhere:1") as lease:
        age(url, LEASE_SECONDS + 1)
        lease.renew()  # too early to write
        with ledger.lease("alpha", holder=ME):
            pass
    assert 2 * RENEW_SECONDS < LEASE_SECONDS


def test_a_driver_that_was_silent_too_long_learns_that_it_lost(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger.lease("alpha", holder="elsewhere:1") as lease:
        age(url, LEASE_SECONDS + 1)
        with ledger.lease("alpha", holder=ME):
            let_time_pass(monkeypatch)
            with pytest.raises(StudyError, match=f"'alpha' was taken over by {ME}"):
                lease.renew()


def test_losing_a_lease_does_not_release_that_of_the_next_one(ledger: Ledger, url: str) -> None:
    first = ledger.lease("alpha", holder="elsewhere:1")
    first.__enter__()
    age(url, LEASE_SECONDS + 1)
    with ledger.lease("alpha", holder="elsewhere:2"):
        first.__exit__(None, None, None)
        with pytest.raises(StudyError, match="driven by elsewhere:2"), ledger.lease("alpha", holder=ME):
            pass


def test_a_ledger_writes_only_while_it_has_its_lease(ledger: Ledger, url: str, records: Any) -> None:
    records.write(ledger, records.trial(0))
    with ledger.lease("alpha", holder="elsewhere:1"):
        age(url, LEASE_SECONDS + 60)
        records.write(ledger, records.trial(1))  # too late, but nobody else came: it goes on
        with Ledger.open(url) as other, other.lease("alpha", holder=ME):
            for writing in (
                lambda: records.write(ledger, records.trial(2)),
                lambda: records.submit(ledger, 0),
                lambda: ledger.finish("alpha", 0, records.success(), TrialState.DONE),
                lambda: ledger.save_report("alpha", "a0", "test", {}),
                lambda: ledger.create_study(records.study("beta")),
            ):
                with pytest.raises(StudyError, match=f"'alpha' was taken over by {ME}"):
                    writing()
        with pytest.raises(StudyError, match="taken over by another driver"):
            records.submit(ledger, 0)  # also after the other one has left
        assert ledger.trials("alpha") == [records.trial(0), records.trial(1)]
    records.write(ledger, records.trial(2))


HOLDER = """
import os, socket, sys
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.records import TrialRecord, TrialState

with Ledger.open(sys.argv[1]) as ledger:
    try:
        with ledger.lease("alpha", holder="elsewhere:1"):
            for number in range(10**9):
                trial = TrialRecord(number=number, architecture_id="a0", choices={}, cost={}, overrun={},
                                    state=TrialState.QUEUED)
                ledger.write_trials("alpha", [trial], architectures={"a0": {}})
                print(number, flush=True)
                input()
    except StudyError as error:
        print(error, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="stops a process by a signal")
@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])], indirect=True
)
def test_a_driver_that_comes_back_too_late_writes_nothing_and_says_who_has_the_study(ledger: Ledger, url: str) -> None:
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.send_signal(signal.SIGSTOP)
        age(url, LEASE_SECONDS + 1)
        with Ledger.open(url) as other, other.lease("alpha", holder=ME):
            before = other.trials("alpha")
            holder.send_signal(signal.SIGCONT)
            said, _ = holder.communicate("\n")
            assert other.trials("alpha") == before
    assert said.startswith(f"study 'alpha' was taken over by {ME}, because this one gave no sign of life for 30 s")


def test_a_heartbeat_from_the_future_holds_no_longer_than_another(ledger: Ledger, url: str) -> None:
    """The database's clock was set back by an hour, and the driver is dead."""
    held = ledger.lease("alpha", holder="elsewhere:1")
    held.__enter__()
    age(url, -3600)
    assert ledger.status("alpha").driving is Driving.SILENT
    with pytest.raises(StudyError, match=r"elsewhere:1.*free in (30|29) s"), ledger.lease("alpha", holder=ME):
        pass
    age(url, LEASE_SECONDS + 1)
    with ledger.lease("alpha", holder=ME):
        pass


def test_a_living_driver_keeps_its_lease_when_the_clock_is_set_back(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger.lease("alpha", holder="elsewhere:1") as lease:
        age(url, -3600)
        let_time_pass(monkeypatch)
        lease.renew()
        assert ledger.status("alpha").driving is Driving.RUNNING
        with pytest.raises(StudyError, match="elsewhere:1"), ledger.lease("alpha", holder=ME):
            pass


def test_a_row_without_a_place_is_believed_until_it_is_silent_too_long(ledger: Ledger, url: str) -> None:
    """As it was written before boots and namespaces were told apart."""
    held = ledger.lease("alpha", holder=f"{HERE}:999999999")
    held.__enter__()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.update(lease_table).values(token="0123456789abcdef"))
    engine.dispose()
    if Path("/proc/self/ns/pid").exists():
        with pytest.raises(StudyError, match="999999999"), ledger.lease("alpha", holder=ME):
            pass
    age(url, LEASE_SECONDS + 1)
    with ledger.lease("alpha", holder=ME):
        pass


TAKER = """
import socket, sys
from nas.errors import StudyError
from nas.ledger import Ledger

with Ledger.open(sys.argv[1]) as ledger:
    try:
        with ledger.lease("alpha", holder=f"{socket.gethostname()}:2"):
            print("taken")
    except StudyError as error:
        print(error)
"""
_APART = ("unshare", "--pid", "--fork", "--mount-proc")


def _namespaces_can_be_made() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run([*_APART, "true"], capture_output=True).returncode == 0
    )


@pytest.mark.slow
@pytest.mark.skipif(not _namespaces_can_be_made(), reason="makes a PID namespace, as containers have")
@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])], indirect=True
)
def test_another_container_of_the_same_host_does_not_take_the_lease_of_a_driver_it_cannot_see(
    ledger: Ledger, url: str
) -> None:
    """The taker's host has the same name, and in its namespace there is no process of this number."""
    with ledger.lease("alpha", holder=f"{HERE}:{os.getpid()}"):
        command = [*_APART, sys.executable, "-c", TAKER, url]
        taker = subprocess.run(command, capture_output=True, text=True, check=True)
        assert taker.stdout.startswith(f"study 'alpha' is being driven by {ME}")
