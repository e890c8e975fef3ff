"""From an address to an engine: which databases we speak to, and how they are set up."""

from __future__ import annotations

import os
import re
import sqlite3
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from nas.errors import LedgerError
from nas.ledger.address import DEFAULT_STORAGE, place
from nas.ledger.failures import BUSY_SECONDS

CONNECT_SECONDS = 10
"""How long to wait for a PostgreSQL server that does not answer."""

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
# A server that vanishes without a word (power, network) is noticed after half a minute instead of two hours: by the
# peer's silence where we wait for an answer, by the missing acknowledgement where we have sent something.
_KEEP_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 30_000}
_PREPARE = "prepare_threshold"  # of psycopg, which takes it as a number only, not as the text of an address
_SUPPORTED = "use 'sqlite:///FILE' or 'postgresql+psycopg://user@host/database'"


class Mode(StrEnum):
    """What may be done to the database; the values are SQLite's own words."""

    CREATE = "rwc"
    WRITE = "rw"
    READ = "ro"


def connect(url: str, mode: Mode) -> sa.Engine:
    """An engine for a ledger's address. Nothing is read yet, but a SQLite file's place is checked.

    Raises:
        LedgerError: an address we cannot read, a driver that is not installed, or a file that cannot be there.
    """
    address = _parse(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite_engine(address, _checked_path(address, mode), mode)
    return _postgresql_engine(address, mode)


def insert(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """The database's own INSERT, which has an ON CONFLICT clause."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def insert_missing(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """INSERT that leaves a row alone whose key is taken."""
    return insert(dialect, table).on_conflict_do_nothing()


def normalised(url: str) -> str:
    """The address with the driver a ledger uses, password included: for connecting, not for showing."""
    return _parse(url).difference_update_query([_PREPARE]).render_as_string(hide_password=False)


def engine_options(url: str) -> dict[str, Any]:
    """What an engine of somebody else on the same database needs to survive what ours does."""
    address = _parse(url)
    if address.get_backend_name() == "sqlite":
        return {}
    return {"connect_args": _server_arguments(address), "pool_pre_ping": True}


def _server_arguments(address: sa.URL) -> dict[str, Any]:
    """Options of psycopg and libpq, unless the address has them.

    Statements are not prepared on the server unless the address asks for it: behind a pooler in transaction mode, such
    as pgbouncer, the next transaction may meet another server connection, which knows other ones.
    """
    wanted = {"connect_timeout": CONNECT_SECONDS, **_KEEP_ALIVE}
    missing = {name: value for name, value in wanted.items() if name not in address.query}
    return {**missing, _PREPARE: _prepare_threshold(address)}


def _prepare_threshold(address: sa.URL) -> int | None:
    """After how many executions psycopg prepares a statement; None for never.

    Raises:
        LedgerError: the address says something else.
    """
    said = address.query.get(_PREPARE, "none")
    if said == "none":
        return None
    if isinstance(said, str) and re.fullmatch("[0-9]{1,6}", said):
        return int(said)
    raise LedgerError(
        f"{place(address.render_as_string())}: {_PREPARE} is a number of executions, or none to prepare nothing, "
        f"got {said!r}"
    )


def _parse(url: str) -> sa.URL:
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise LedgerError(
            f"cannot read {place(url)!r} as the address of a ledger; write it like 'sqlite:///nas.db' "
            "or 'postgresql+psycopg://user@host/database'"
        ) from None
    driver = _DRIVERS.get(address.drivername)
    if driver is None:
        raise LedgerError(
            f"a ledger cannot live in {address.drivername!r} ({place(url)}); it speaks to SQLite and, by psycopg, to "
            f"PostgreSQL: {_SUPPORTED}"
        )
    if address.password is not None and url.partition("://")[2].partition(":")[2].count("@") > 1:
        raise LedgerError(
            f"the password in {place(url)} holds an '@'; write it as %40 (and ':' as %3A, '/' as %2F, '%' as %25)"
        )
    return address.set(drivername=driver)


def _checked_path(address: sa.URL, mode: Mode) -> Path:
    """The file of a SQLite address.

    Raises:
        LedgerError: it cannot be there, or it is missing and may not be made.
    """
    where = place(address.render_as_string())
    if address.query:
        raise LedgerError(f"{where}: a SQLite ledger takes no options, got {', '.join(address.query)}; leave them out")
    if not address.database or address.database == ":memory:":
        raise LedgerError(f"a ledger must outlive the process; name a file, for example {DEFAULT_STORAGE!r}")
    path = Path(address.database)
    if path.is_dir():
        raise LedgerError(f"{where} is a folder; name a file in it, for example 'sqlite:///{path / 'nas.db'}'")
    if mode is Mode.CREATE and not path.parent.is_dir():
        raise LedgerError(f"cannot make the ledger {where}: there is no folder {path.parent}; create it first")
    if mode is not Mode.CREATE and not path.exists():
        raise LedgerError(missing(where))
    return path


def missing(where: str) -> str:
    """What to tell somebody who looks for a ledger where there is none."""
    return f"no ledger at {where}; run `nas search` first, or name one with --storage"


def _sqlite_engine(address: sa.URL, path: Path, mode: Mode) -> sa.Engine:
    uri = f"{path.absolute().as_uri()}?mode={mode.value}"
    if mode is Mode.READ and _is_at_rest(path):
        uri += "&immutable=1"

    def open_file() -> sqlite3.Connection:
        # isolation_level=None: the module then leaves BEGIN to us, so that reads are snapshots and DDL is transactional
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    engine = sa.create_engine(address.set(database=str(path.absolute())), creator=open_file)
    event.listen(engine, "connect", _configure_sqlite)
    if mode is Mode.CREATE:
        event.listen(engine, "connect", _use_write_ahead_log)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _is_at_rest(path: Path) -> bool:
    """Whether a reader must not expect a log beside the file: nobody has it open and we could not create one."""
    return not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()


def _configure_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log this survives the death of the process at any moment; only the loss of power may undo the
    # last transactions (never damage the file). FULL would add an fsync to each.
    connection.execute("PRAGMA synchronous = NORMAL")


def _use_write_ahead_log(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """Let readers read while the driver writes. The setting stays with the file."""
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def for_writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose SQLite transactions take the write lock at once, so that they wait instead of failing."""
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")


def size_of(connection: sa.Connection) -> int:
    """Bytes of the whole database."""
    if connection.dialect.name == "sqlite":
        pages, size = (
            int(connection.exec_driver_sql(f"PRAGMA {one}").scalar_one()) for one in ("page_count", "page_size")
        )
        return pages * size
    return int(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())


def _postgresql_engine(address: sa.URL, mode: Mode) -> sa.Engine:
    try:
        plain = address.difference_update_query([_PREPARE])
        engine = sa.create_engine(plain, connect_args=_server_arguments(address))
    except ImportError as error:
        raise LedgerError(
            f"PostgreSQL needs psycopg; `pip install nas-convnets[postgres]` brings it ({error})"
        ) from error
    return engine.execution_options(postgresql_readonly=mode is Mode.READ)
