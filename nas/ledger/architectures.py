"""Architectures: each canonical dict once, however many studies meet it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nas.command_line import command_line
from nas.errors import LedgerError, StudyError
from nas.ledger import studies
from nas.ledger.engine import insert_missing
from nas.ledger.tables import architectures, trials
from nas.records import Plain

_SHOWN = 5  # matches in the message about an ambiguous id


def store(connection: sa.Connection, canonical: Mapping[str, Mapping[str, Plain]]) -> None:
    """Add those that are new, by id."""
    # Sorted, so that two drivers that meet the same architectures lock them in the same order.
    rows: list[dict[str, Any]] = [{"id": key, "canonical": canonical[key]} for key in sorted(canonical)]
    if rows:
        connection.execute(insert_missing(connection.dialect.name, architectures), rows)


def read(connection: sa.Connection, identity: str) -> dict[str, Plain]:
    """The canonical dict of one architecture.

    Raises:
        LedgerError: there is none of this id.
    """
    found = connection.execute(
        sa.select(architectures.c.canonical).where(architectures.c.id == identity)
    ).scalar_one_or_none()
    if found is None:
        raise LedgerError(f"the ledger holds no architecture {identity!r}; `nas pareto` shows the ids of a study")
    return dict(found)


def of_study(connection: sa.Connection, study: str) -> dict[str, dict[str, Plain]]:
    """The canonical dicts of all architectures that a study has asked for, by id.

    Raises:
        StudyError: no such study.
    """
    studies.require(connection, study)
    asked = sa.select(trials.c.architecture).where(trials.c.study == study)
    statement = sa.select(architectures.c.id, architectures.c.canonical).where(architectures.c.id.in_(asked))
    return {row.id: dict(row.canonical) for row in connection.execute(statement)}


def resolve(connection: sa.Connection, study: str, prefix: str, *, ledger: Sequence[str] = ()) -> str:
    """The id of the one architecture of a study that begins with `prefix`; a whole id is always found.

    Args:
        connection: inside a transaction.
        study: its name.
        prefix: of the id.
        ledger: the words that name the ledger in a command line.

    Raises:
        StudyError: no such study, none of its architectures begins so, or several do.
    """
    studies.require(connection, study)
    start = sa.func.substr(trials.c.architecture, 1, len(prefix))
    statement = (
        sa.select(trials.c.architecture)
        .distinct()
        .where(trials.c.study == study, start == prefix)
        .order_by(trials.c.architecture)
    )
    found = list(connection.execute(statement).scalars())
    if len(found) == 1 or prefix in found:
        return prefix if prefix in found else found[0]
    if not found:
        showing = command_line("pareto", "--all", *ledger, arguments=[study])
        raise StudyError(f"no architecture of study {study!r} begins with {prefix!r}; `{showing}` shows its ids")
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise StudyError(
        f"{prefix!r} is the beginning of {len(found)} architectures of study {study!r}: "
        f"{', '.join(found[:_SHOWN])}{more}; write more of the id"
    )
