"""Bringing a database to the newest revision of our tables, and refusing one that is newer than this program.

The revision is read with one query, and a new ledger is written as `tables` says it is; alembic (0.13 s) is loaded only
where an older one is to be migrated.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from nas.errors import LedgerError
from nas.ledger.engine import Mode, for_writing, missing
from nas.ledger.tables import metadata

VERSION_TABLE = "nas_alembic_version"

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every revision this program knows, oldest first; the last one is what it works with."""

_ADVISORY_LOCK = 0x6E6173  # any number that all our programs agree on

_versions = sa.Table(  # as alembic makes it
    VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


def prepare(engine: sa.Engine, where: str, mode: Mode) -> None:
    """Make sure that the database is at the newest revision, migrating it if `mode` allows it.

    Args:
        engine: of the database.
        where: how messages name it.
        mode: CREATE makes the tables if there are none; READ expects the newest revision.

    Raises:
        LedgerError: there is no ledger and none may be made, or it is of a newer program.
    """
    with engine.connect() as connection:
        if _is_newest(_revision(connection), where, mode):
            return
    with for_writing(engine).begin() as connection:
        _lock(connection)
        found = _revision(connection)
        if _is_newest(found, where, mode):  # another process was faster
            return
        if found is None:
            _create(connection)
        else:
            _upgrade(connection)


def is_older(engine: sa.Engine) -> bool:
    """Whether a database is at an earlier revision than this program works with."""
    with engine.connect() as connection:
        return _revision(connection) in REVISIONS[:-1]


def _is_newest(revision: str | None, where: str, mode: Mode) -> bool:
    """Whether nothing is to be done; False asks for an upgrade.

    Raises:
        LedgerError: neither is possible.
    """
    if revision == REVISIONS[-1]:
        return True
    if revision is None and mode is not Mode.CREATE:
        raise LedgerError(missing(where))
    if revision is not None and revision not in REVISIONS:
        raise LedgerError(
            f"ledger {where} was written by a newer nas (revision {revision}; this one knows up to {REVISIONS[-1]}); "
            "upgrade nas, or name another ledger with --storage"
        )
    return False


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(sa.select(_versions.c.version_num)).scalar()


def _lock(connection: sa.Connection) -> None:
    """Let one process migrate at a time. SQLite's write lock is held by the transaction already."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def _create(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    _versions.create(connection, checkfirst=False)
    connection.execute(sa.insert(_versions).values(version_num=REVISIONS[-1]))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
