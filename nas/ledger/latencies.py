"""Latency records: every measurement is kept; of equal keys the latest one counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from nas.ledger.architectures import store
from nas.ledger.engine import insert_missing
from nas.ledger.failures import understood
from nas.ledger.tables import architectures, latencies
from nas.records import LatencyRecord, Plain


def save(
    connection: sa.Connection,
    records: Iterable[LatencyRecord],
    canonical: Mapping[str, Mapping[str, Plain]],
) -> int:
    """Keep records and the architectures they are about, whose canonical dicts are given by id.

    Returns:
        How many were new: a record that is there already, of the same moment on the same device, is left out.
    """
    store(connection, canonical)
    rows = [
        {
            "architecture": one.architecture_id,
            "profile": one.key.profile,
            "device": one.key.device,
            "content": one.to_dict(),
            "measured": one.measured,
        }
        for one in records
    ]
    before = connection.execute(_count).scalar_one()
    if rows:
        connection.execute(insert_missing(connection.dialect.name, latencies), rows)
    return int(connection.execute(_count).scalar_one()) - int(before)


def read(
    connection: sa.Connection, of: Collection[str] | None = None, profile: str | None = None
) -> list[LatencyRecord]:
    """The records of some architectures and of one profile id, oldest first; None stands for all."""
    statement = sa.select(latencies.c.content).order_by(latencies.c.measured, latencies.c.id)
    if of is not None:
        statement = statement.where(latencies.c.architecture.in_(sorted(of)))
    if profile is not None:
        statement = statement.where(latencies.c.profile == profile)
    with understood("a latency record"):
        return [LatencyRecord.from_dict(content) for content in connection.execute(statement).scalars()]


def measured_architectures(connection: sa.Connection) -> dict[str, dict[str, Plain]]:
    """The canonical dicts of all architectures that have a record, by id."""
    measured = sa.select(latencies.c.architecture)
    rows = connection.execute(sa.select(architectures.c.id, architectures.c.canonical).where(
        architectures.c.id.in_(measured)
    ))  # fmt: skip
    return {identity: dict(canonical) for identity, canonical in rows}


_count = sa.select(sa.func.count()).select_from(latencies)
