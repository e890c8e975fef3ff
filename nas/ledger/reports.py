"""Reports: small notes about an architecture of a study that are made once, such as its test accuracy."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from nas.ledger import studies
from nas.ledger.engine import insert_missing
from nas.ledger.tables import reports
from nas.records import Plain


def save(
    connection: sa.Connection, study: str, architecture_id: str, kind: str, content: Mapping[str, Plain], created: str
) -> dict[str, Plain]:
    """Store a report unless there is one of its kind.

    Returns:
        The report that stands: the first one.

    Raises:
        StudyError: no such study.
    """
    studies.require(connection, study)
    connection.execute(
        insert_missing(connection.dialect.name, reports),
        {"study": study, "architecture": architecture_id, "kind": kind, "content": content, "created": created},
    )
    return read(connection, study, architecture_id, kind) or {}


def read(connection: sa.Connection, study: str, architecture_id: str, kind: str) -> dict[str, Plain] | None:
    """The report of this kind, if there is one."""
    found = connection.execute(
        sa.select(reports.c.content).where(
            reports.c.study == study, reports.c.architecture == architecture_id, reports.c.kind == kind
        )
    ).scalar_one_or_none()
    return None if found is None else dict(found)
