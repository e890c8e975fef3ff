"""Leases: one driver at a time on a study.

A lease is a row with a heartbeat. It is free again when its holder gives it back, when the holder has not renewed it
for `LEASE_SECONDS`, or at once when the holder was a process of this host that no longer exists. All times are those of
the database, so that the clocks of two hosts need not agree.

Containers on one machine may share its name and number their processes alike, so a process is looked up only by who
sees the same processes: under the same boot of the kernel and in the same PID namespace, which the token tells.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa

from nas.errors import StudyError
from nas.ledger import studies
from nas.ledger.tables import leases, studies as study_table

LEASE_SECONDS = 30.0
"""A holder that has not renewed its lease for so long has lost it."""

RENEW_SECONDS = 5.0
"""`Lease.renew` writes no more often than this."""

_NOW = {
    "sqlite": sa.text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": sa.text("SELECT extract(epoch FROM clock_timestamp())::double precision"),
}


class Lease:
    """The right to drive a study, for as long as it is renewed.

    Call `renew` on every turn of the driver's loop; all but one call in `RENEW_SECONDS` cost nothing.
    """

    def __init__(self, study: str, holder: str, heartbeat: Callable[[], None]) -> None:
        self.study = study
        self.holder = holder
        self._heartbeat = heartbeat
        self._renewed = time.monotonic()

    def renew(self) -> None:
        """Show that the holder lives.

        Raises:
            StudyError: the lease was lost, because it was not renewed in time and another driver has taken it.
        """
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return
        self._heartbeat()
        self._renewed = time.monotonic()


def new_token() -> str:
    """Unique to one acquisition of a lease, and telling which processes its holder sees: `PROCESSES/RANDOM`."""
    return f"{_processes_seen()}/{secrets.token_hex(8)}"


@cache
def _processes_seen() -> str:
    """Boot of the kernel and PID namespace, as in '63649eca-...:pid:[4026531836]'; empty where Linux does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def correct_future(connection: sa.Connection, study: str) -> None:
    """Let a heartbeat from the future, after the database's clock was set back, count as one of now.

    A living holder writes another one within `RENEW_SECONDS`; without this the lease of a dead one would stay for as
    long as the clock was set back.
    """
    now = now_of(connection)
    ahead = sa.update(leases).where(leases.c.study == study, leases.c.renewed > now)
    connection.execute(ahead.values(renewed=now))


def acquire(connection: sa.Connection, study: str, holder: str, token: str) -> None:
    """Take the lease of a study.

    Args:
        connection: inside a writing transaction.
        study: its name.
        holder: `host:pid` of the driver.
        token: of `new_token`; the acquisition may be repeated with it.

    Raises:
        StudyError: no such study, or a living driver has it.
    """
    # Newcomers wait for one another here; key_share leaves the drivers alone, whose rows refer to the study.
    locked = sa.select(study_table.c.name).where(study_table.c.name == study).with_for_update(key_share=True)
    if connection.execute(locked).first() is None:
        studies.reject_unknown(connection, study)
    held = connection.execute(sa.select(leases).where(leases.c.study == study).with_for_update()).one_or_none()
    now = now_of(connection)
    if held is not None and held.token != token and is_alive(held, holder, now):
        raise StudyError(_refusal(held, now))
    connection.execute(sa.delete(leases).where(leases.c.study == study))
    connection.execute(
        sa.insert(leases), {"study": study, "holder": holder, "token": token, "since": now, "renewed": now}
    )


def renew(connection: sa.Connection, study: str, token: str) -> None:
    """Write a heartbeat.

    Raises:
        StudyError: another driver has the lease now.
    """
    mine = sa.update(leases).where(leases.c.study == study, leases.c.token == token)
    if connection.execute(mine.values(renewed=now_of(connection))).rowcount == 0:
        _say_lost(connection, study)


def require(connection: sa.Connection, study: str, token: str) -> None:
    """Make sure that the lease is still held, and stays so to the end of the transaction.

    The row is locked, so that nobody can take the lease before we have committed, and so that a transaction waits for
    an earlier one of the same driver which lost its connection while the server was still at it.

    Raises:
        StudyError: another driver has the lease now, or has had it.
    """
    if connection.execute(_mine, {"in_study": study, "by": token}).first() is None:
        _say_lost(connection, study)


_mine = (
    sa.select(leases.c.study)
    .where(leases.c.study == sa.bindparam("in_study"), leases.c.token == sa.bindparam("by"))
    .with_for_update()
)


def _say_lost(connection: sa.Connection, study: str) -> NoReturn:
    other = connection.execute(sa.select(leases.c.holder).where(leases.c.study == study)).scalar_one_or_none()
    raise StudyError(
        f"study {study!r} was taken over by {other or 'another driver'}, because this one gave no sign of life "
        f"for {LEASE_SECONDS:.0f} s; what it had stored is safe"
    )


def release(connection: sa.Connection, study: str, token: str) -> None:
    """Give the lease back; harmless if it was lost."""
    connection.execute(sa.delete(leases).where(leases.c.study == study, leases.c.token == token))


def now_of(connection: sa.Connection) -> float:
    """The database's clock, in seconds since 1970."""
    return float(connection.execute(_NOW[connection.dialect.name]).scalar_one())


def is_alive(held: sa.Row[Any], newcomer: str, now: float) -> bool:
    """Whether the holder of a lease still drives, as far as somebody (`host:pid`) can tell at this time."""
    if now - held.renewed > LEASE_SECONDS:
        return False
    host, _, process = held.holder.rpartition(":")
    is_here = host == newcomer.rpartition(":")[0] and held.token.rpartition("/")[0] == _processes_seen()
    if not is_here or not process.isdecimal():
        return True  # another host or container, or a row from before these were told apart: the heartbeat alone tells
    return _process_exists(int(process))


def _process_exists(process: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 only asks on POSIX
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Whether a process is dead, but its parent has not looked yet (told by Linux only)."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] == "Z"


def _refusal(held: sa.Row[Any], now: float) -> str:
    since = datetime.fromtimestamp(held.since, UTC).isoformat(timespec="seconds")
    left = max(1, round(LEASE_SECONDS - (now - held.renewed)))
    return (
        f"study {held.study!r} is being driven by {held.holder} since {since}; "
        f"wait for it or stop it (if it died without a word, the study is free in {left} s)"
    )
