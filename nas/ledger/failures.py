"""What a database's errors mean: whose fault they are, and whether they pass by themselves."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from nas.errors import LedgerError, shortened

BUSY_SECONDS = 30
"""How long a writer of a SQLite file waits for another one before it gives up."""

_SQLITE_REASONS = {
    "SQLITE_NOTADB": "it is not a SQLite database; name another file with --storage",
    "SQLITE_CORRUPT": "the database is damaged; restore the file from a copy",
    "SQLITE_CANTOPEN": "the file cannot be opened or created; check the permissions of the file and its folder",
    "SQLITE_READONLY": "the database is read-only; check the permissions of the file and its folder",
    "SQLITE_FULL": "the disk is full; free some space, then resume with --resume",
    "SQLITE_BUSY": f"another program has kept the database locked for {BUSY_SECONDS} s; wait for it or stop it",
    "SQLITE_IOERR": "the disk cannot be read or written; check it and its free space",
    "SQLITE_PERM": "permission denied; check the permissions of the file and its folder",
}

# SQLSTATEs, https://www.postgresql.org/docs/current/errcodes-appendix.html
_DENIED = {"42501"}  # insufficient privilege
_POOLED = {"42P05", "26000"}  # a prepared statement that is there already, or is not there
_NO_TABLE = {"42P01", "42703"}  # nor column
_SQLITE_NO_TABLE = re.compile(r"no such (table|column)|has no column named|(table|index) \w+ already exists")
_FULL = {"53100"}  # the disk is full
_PASSING = {
    *("57P01", "57P02", "57P03", "53300"),  # shut down, crashed, starting up, all connections in use
    *("57014", "55P03"),  # a statement or a lock took too long, by a limit of the server's
    "25006",  # read-only, as a standby is until it has taken over
}
_PASSING_CLASSES = {"08", "40"}  # connection lost; rolled back, as after a deadlock
# A connection that does not come about has no SQLSTATE, only words. What is not known to last is waited for: a server
# that speaks another language must not end a search by a restart.
_LASTING = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|does not exist|permission denied"
    r"|not permitted to log in|certificate|does not support SSL|requires SSL",
    re.IGNORECASE,
)


class DamageError(LedgerError):
    """What stands in the database was not written by a ledger: somebody changed it, or the disk did.

    Attributes:
        problem: what stands where.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}. It was damaged, or changed by hand: restore the ledger from a copy, or delete the study that "
            "it belongs to (nas studies --delete)"
        )
        self.problem = problem


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Turn whatever is raised while a value is read that cannot be right into a `DamageError`.

    Args:
        what: the value, as the beginning of a sentence.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DamageError(f"{what} cannot be understood ({type(error).__name__}: {shortened(str(error))})") from error


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what a user can cause (full disk, server away, not a database) into a `LedgerError` that names the place."""
    try:
        yield
    except DamageError as error:
        raise LedgerError(f"ledger {where}: {error}") from error
    except DBAPIError as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise LedgerError(f"ledger {where}: {reason}") from error


def is_passing(error: DBAPIError) -> bool:
    """Whether the same call may well succeed a little later: the server restarts, the connection was cut, a deadlock.

    Not so for what a person has to mend first: a wrong password, a database that does not exist, a full disk.
    """
    if isinstance(error.orig, sqlite3.Error):
        return False
    state = _state(error)
    if state in _PASSING or state[:2] in _PASSING_CLASSES or error.connection_invalidated:
        return True
    return _is_from_connecting(error) and isinstance(error, OperationalError) and not _LASTING.search(said(error))


def said(error: DBAPIError) -> str:
    """The database's own words, in one line."""
    return " ".join(str(error.orig).split())


def _is_from_connecting(error: DBAPIError) -> bool:
    return error.statement is None and not _state(error)


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _reason(error: DBAPIError) -> str | None:
    if isinstance(error, IntegrityError):
        return (
            f"its rows do not fit together: {said(error)}; it was damaged, or changed by hand: restore it from a copy, "
            "or delete the study that they belong to (nas studies --delete)"
        )
    return _sqlite_reason(error) if isinstance(error.orig, sqlite3.Error) else _postgresql_reason(error)


def _sqlite_reason(error: DBAPIError) -> str | None:
    if _SQLITE_NO_TABLE.search(str(error.orig)):
        return _lacks(error)
    name: str = getattr(error.orig, "sqlite_errorname", "")
    return next((reason for prefix, reason in _SQLITE_REASONS.items() if name.startswith(prefix)), None)


def _postgresql_reason(error: DBAPIError) -> str | None:
    if _state(error) in _FULL:
        return f"the server's disk is full: {said(error)}; free some space, then resume with --resume"
    if _state(error) in _POOLED:
        return (
            f"a pooler such as pgbouncer stands before the server, and prepared statements do not survive it: "
            f"{said(error)}; leave prepare_threshold out of the address"
        )
    if _state(error) in _NO_TABLE:
        return _lacks(error)
    is_environment = isinstance(error, OperationalError | InterfaceError) or _state(error) in _DENIED
    if is_environment or _is_from_connecting(error):
        return (
            f"the server cannot be used: {said(error)}; check the address, the server and your rights on the database"
        )
    return None


def _lacks(error: DBAPIError) -> str:
    return (
        f"its tables are not whole: {said(error)}; somebody has removed one, or the ledger was copied in part: restore "
        "it from a copy, or name another ledger with --storage"
    )
