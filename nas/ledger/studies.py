"""Studies: what was asked for, when, and how far it got."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import sqlalchemy as sa

from nas.errors import StudyError
from nas.ledger.definitions import require_shapes
from nas.ledger.engine import insert_missing
from nas.ledger.failures import DamageError, understood
from nas.ledger.summary import StudySummary
from nas.ledger.tables import as_kept, evaluations, meant, studies, trials
from nas.records import Plain, StudyRecord

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
    """Every study with its progress, the most recently active one first; damaged ones last, with what is wrong."""
    progress: defaultdict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in connection.execute(_progress):
        progress[row.study].append(row)
    best = {row.study: row.best for row in connection.execute(_best)}
    found = [_summary(row, progress[row.name], best.get(row.name)) for row in connection.execute(_kept)]
    return sorted(found, key=_activity, reverse=True)


def _summary(row: sa.Row[Any], progress: Sequence[sa.Row[Any]], best: Any) -> StudySummary:
    """A study by what stands in the tables, damaged or not."""
    active = max((str(one.updated) for one in progress), default=str(row.created))
    try:
        name, created = meant(studies.c.name, row.name), meant(studies.c.created, row.created)
        definition = meant(studies.c.definition, row.definition)
        require_shapes(name, definition)
        with understood("the time of a study"):
            _moment(active)
        return StudySummary(
            name=name,
            kind=meant(studies.c.kind, row.kind),
            created=created,
            counts={meant(trials.c.state, one.state): one.trials for one in progress},
            best_accuracy=meant(evaluations.c.accuracy, best),
            latest_activity=active,
            space=(definition.get("space") or definition.get("drawn_from") or {}).get("name", ""),
            budget=tuple(definition.get("budget", ())),
            data=definition.get("data", ""),
        )
    except DamageError as error:
        return StudySummary.damaged(str(row.name), str(row.created), error.problem)


def _activity(summary: StudySummary) -> tuple[bool, datetime, str]:
    """Orders studies; of a damaged one no time is certain."""
    is_whole = not summary.problem
    return is_whole, _moment(summary.latest_activity) if is_whole else datetime.min, summary.name


_exists = sa.select(studies.c.name).where(studies.c.name == sa.bindparam("name"))
_kept = sa.select(
    *(as_kept(studies.c[name]).label(name) for name in ("name", "kind", "created", "definition")),
)
_progress = sa.select(
    trials.c.study,
    as_kept(trials.c.state).label("state"),
    sa.func.count().label("trials"),
    as_kept(sa.func.max(trials.c.updated)).label("updated"),
).group_by(trials.c.study, trials.c.state)
_recipe = (
    sa.select(evaluations.c.recipe)
    .join(trials, trials.c.evaluation == evaluations.c.id)
    .where(trials.c.study == sa.bindparam("name"))
    .limit(1)
)
_best = (
    sa.select(trials.c.study, as_kept(sa.func.max(evaluations.c.accuracy)).label("best"))
    .join(evaluations, trials.c.evaluation == evaluations.c.id)
    .group_by(trials.c.study)
)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
