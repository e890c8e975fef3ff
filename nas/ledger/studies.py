"""Studies: what was asked for, when, and how far it got."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn

import sqlalchemy as sa

from nas.errors import StudyError
from nas.ledger.definitions import require_shapes
from nas.ledger.engine import insert_missing
from nas.ledger.failures import understood
from nas.ledger.summary import StudySummary
from nas.ledger.tables import evaluations, studies, trials
from nas.records import Plain, StudyRecord, TrialState

_LISTED = 10  # names in a message before it says "and N more"


def timestamp() -> str:
    """The present moment as the tables keep it: ISO 8601, UTC, so that text order is time order."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def create(connection: sa.Connection, record: StudyRecord, *, is_repeated: bool = False) -> None:
    """Add a study.

    Args:
        connection: inside a writing transaction.
        record: the study.
        is_repeated: whether this may have succeeded before without our hearing of it; the very same study is ours then.

    Raises:
        StudyError: the name is taken.
    """
    statement = insert_missing(connection.dialect.name, studies).returning(studies.c.name)
    row = {
        "name": record.name,
        "kind": record.kind,
        "definition": record.definition,
        "created": record.created,
    }
    if connection.execute(statement, row).first() is not None:
        return
    if is_repeated and read(connection, record.name) == record:
        return
    raise StudyError(
        f"study {record.name!r} exists already; continue it with --resume, or name another one with --study"
    )


def read(connection: sa.Connection, name: str) -> StudyRecord:
    """One study.

    Raises:
        StudyError: there is none of this name.
    """
    row = connection.execute(sa.select(studies).where(studies.c.name == name)).one_or_none()
    if row is None:
        reject_unknown(connection, name)
    require_shapes(row.name, row.definition)
    return StudyRecord(name=row.name, kind=row.kind, definition=row.definition, created=row.created)


def recipe_of(connection: sa.Connection, name: str) -> str | None:
    """The recipe of an evaluation that a trial of a study has, or None."""
    found: str | None = connection.execute(_recipe, {"name": name}).scalar()
    return found


def recipes(connection: sa.Connection) -> list[Mapping[str, Plain]]:
    """What the definitions of all studies say of their recipes; those that say nothing are left out."""
    definitions = connection.execute(sa.select(studies.c.definition)).scalars()
    return [one["recipe"] for one in definitions if isinstance(one.get("recipe"), Mapping)]


def redefine(connection: sa.Connection, name: str, definition: Mapping[str, Plain]) -> None:
    """Change a study that has no evaluation yet.

    Raises:
        StudyError: it has one.
    """
    if recipe_of(connection, name) is not None:
        raise StudyError(f"study {name!r} has evaluations already; what they are made by cannot change any more")
    connection.execute(sa.update(studies).where(studies.c.name == name).values(definition=definition))


def require(connection: sa.Connection, name: str) -> None:
    """Do nothing if the study exists.

    Raises:
        StudyError: it does not.
    """
    if connection.execute(_exists, {"name": name}).first() is None:
        reject_unknown(connection, name)


def require_free(connection: sa.Connection, name: str) -> None:
    """Do nothing if no study has this name.

    Raises:
        StudyError: one has.
    """
    if connection.execute(_exists, {"name": name}).first() is not None:
        raise StudyError(f"there is a study {name!r} already; choose another name, or rename that one first")


def reject_unknown(connection: sa.Connection, name: str) -> NoReturn:
    """Say that there is no such study, and which there are.

    Raises:
        StudyError: always.
    """
    known = list(connection.execute(sa.select(studies.c.name).order_by(studies.c.created.desc())).scalars())
    if not known:
        raise StudyError(f"unknown study {name!r}; the ledger holds none yet, run `nas search` first")
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    rest = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    raise StudyError(f"unknown study {name!r}; {hint}known: {', '.join(known[:_LISTED])}{rest}")


def summaries(connection: sa.Connection) -> list[StudySummary]:
    """Every study with its progress, the most recently active one first."""
    counts: defaultdict[str, dict[TrialState, int]] = defaultdict(dict)
    active: dict[str, str] = {}
    for study, state, count, updated in connection.execute(_progress):
        counts[study][state] = count
        active[study] = max(updated, active.get(study, ""))
    best = {row.study: row.best for row in connection.execute(_best)}
    rows = connection.execute(sa.select(studies.c.name, studies.c.kind, studies.c.created, studies.c.definition))
    found = [
        _summary(record, counts[record.name], best.get(record.name), active.get(record.name, record.created))
        for record in (StudyRecord(**row._mapping) for row in rows)
    ]
    with understood("the time of a study"):
        return sorted(found, key=lambda summary: (_moment(summary.latest_activity), summary.name), reverse=True)


def _summary(study: StudyRecord, counts: Mapping[TrialState, int], best: float | None, active: str) -> StudySummary:
    definition = study.definition
    require_shapes(study.name, definition)
    return StudySummary(
        name=study.name,
        kind=study.kind,
        created=study.created,
        counts=counts,
        best_accuracy=best,
        latest_activity=active,
        space=(definition.get("space") or definition.get("drawn_from") or {}).get("name", ""),
        budget=tuple(definition.get("budget", ())),
        data=definition.get("data", ""),
    )


_exists = sa.select(studies.c.name).where(studies.c.name == sa.bindparam("name"))
_progress = sa.select(trials.c.study, trials.c.state, sa.func.count(), sa.func.max(trials.c.updated)).group_by(
    trials.c.study, trials.c.state
)
_recipe = (
    sa.select(evaluations.c.recipe)
    .join(trials, trials.c.evaluation == evaluations.c.id)
    .where(trials.c.study == sa.bindparam("name"))
    .limit(1)
)
_best = (
    sa.select(trials.c.study, sa.func.max(evaluations.c.accuracy).label("best"))
    .join(evaluations, trials.c.evaluation == evaluations.c.id)
    .group_by(trials.c.study)
)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
