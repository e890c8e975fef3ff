"""Pulses: the last that the driver of a study said of it, one row for each study."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from nas.ledger.engine import insert
from nas.ledger.failures import understood
from nas.ledger.leases import now_of
from nas.ledger.tables import pulses
from nas.pulse import Pulse


def save(connection: sa.Connection, pulse: Pulse) -> None:
    """Put a pulse in the place of the study's last one."""
    row = {"study": pulse.study, "content": pulse.to_dict(), "written": now_of(connection)}
    connection.execute(_upsertion(connection.dialect.name), row)


def read(connection: sa.Connection, study: str) -> tuple[Pulse, float] | None:
    """The last pulse of a study and when it was written, on the database's clock; None before the first one."""
    row = connection.execute(sa.select(pulses).where(pulses.c.study == study)).one_or_none()
    if row is None:
        return None
    with understood("the pulse of a study"):
        return Pulse.from_dict(row.content), row.written


@cache
def _upsertion(dialect: str) -> sa.Executable:
    statement = insert(dialect, pulses)
    return statement.on_conflict_do_update(
        index_elements=["study"], set_={name: statement.excluded[name] for name in ("content", "written")}
    )
