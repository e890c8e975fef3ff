from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from nas.errors import StudyError
from nas.ledger import Ledger, leases
from nas.ledger.leases import LEASE_SECONDS, RENEW_SECONDS
from nas.ledger.tables import leases as lease_table

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
