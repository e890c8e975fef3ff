"""A study under another name, in another ledger, or nowhere any more.

Evaluations belong to the ledger, not to the study that made them: what another study uses stays when its maker goes.
Whoever calls these sees to the files of weights, of which the ledger knows no more than their paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from nas.ledger import studies
from nas.ledger.architectures import store as store_architectures
from nas.ledger.engine import insert_missing
from nas.ledger.evaluations import set_weights_of
from nas.ledger.relative import folder_of, found_path, kept_path
from nas.ledger.tables import (
    architectures,
    evaluations,
    leases,
    pulses,
    reports,
    studies as study_table,
    trials,
)
from nas.records import StudyKind

Relocate = Callable[[str], str | None]
"""From the path of weights as it was to where they are now; None where they are gone."""

HandOver = Callable[[str, str], str | None]
"""The same for the weights of an evaluation that another study, the second argument, takes over."""

_TOGETHER = 1000  # rows that are read at a time
_KEY = ("architecture", "recipe", "data", "seed")  # of a training, whatever its rung
_CONTENT = [column for column in evaluations.c if column.name != "id"]


class Copied(NamedTuple):
    """What a copy consists of."""

    trials: int
    evaluations: int


def weights_of(connection: sa.Connection, study: str) -> list[str]:
    """Paths of the weights of a study's evaluations, also of those it took over from others."""
    found = sa.select(evaluations.c.weights).where(evaluations.c.id.in_(_of(study)), evaluations.c.weights.is_not(None))
    folder = folder_of(connection)
    return sorted({str(found_path(path, folder)) for path in connection.execute(found).scalars()})


def rename(connection: sa.Connection, old: str, new: str, relocate: Relocate) -> None:
    """Give a study another name, with everything that is about it.

    Raises:
        StudyError: there is no study `old`, or there is one `new`.
    """
    record = studies.read(connection, old)
    studies.require_free(connection, new)
    row = {"name": new, "kind": record.kind, "definition": record.definition, "created": record.created}
    connection.execute(sa.insert(study_table), row)
    for table in (evaluations, trials, reports, pulses):
        connection.execute(sa.update(table).where(table.c.study == old).values(study=new))
    connection.execute(sa.delete(leases).where(leases.c.study == old))
    connection.execute(sa.delete(study_table).where(study_table.c.name == old))
    for content in connection.execute(sa.select(pulses.c.content).where(pulses.c.study == new)).scalars().all():
        connection.execute(sa.update(pulses).where(pulses.c.study == new).values(content={**content, "study": new}))
    _point_refinements(connection, old, new)
    own = evaluations.c.study == new
    folder = folder_of(connection)
    for identity, path in connection.execute(_with_weights.where(own)).all():
        set_weights_of(connection, identity, relocate(str(found_path(path, folder))))


def delete(connection: sa.Connection, study: str, hand_over: HandOver) -> int:
    """Remove a study, and the evaluations and architectures that no other study uses.

    Returns:
        The number of evaluations that other studies use and now have.

    Raises:
        StudyError: no such study.
    """
    studies.require(connection, study)
    _keep_others_out(connection)
    folder, kept = folder_of(connection), connection.execute(_used_by_others, {"of": study}).all()
    for identity, heir, path in kept:
        connection.execute(sa.update(evaluations).where(evaluations.c.id == identity).values(study=heir))
        if path is not None:
            set_weights_of(connection, identity, hand_over(str(found_path(path, folder)), heir))
    for table in (trials, reports, pulses, leases, evaluations):
        connection.execute(sa.delete(table).where(table.c.study == study))
    connection.execute(sa.delete(study_table).where(study_table.c.name == study))
    used = sa.union(*(sa.select(table.c.architecture) for table in (trials, evaluations, reports)))
    connection.execute(sa.delete(architectures).where(architectures.c.id.not_in(used)))
    return len(kept)


def copy(
    source: sa.Connection, target: sa.Connection, study: str, relocate: Relocate, watch: Callable[[int, int], None]
) -> Copied:
    """Add a study of one ledger to another one, with the evaluations that it made or took over.

    Args:
        source: reads a ledger as it stands at one moment.
        target: inside a writing transaction of another ledger.
        study: its name in both.
        relocate: where the weights are that go with it.
        watch: told how many trials are there, of how many.

    Raises:
        StudyError: there is no such study, or the other ledger has one of this name.
    """
    record = studies.read(source, study)
    studies.require_free(target, study)
    studies.create(target, record)
    of_study = {"of": study}
    total = source.execute(sa.select(sa.func.count()).select_from(trials).where(trials.c.study == study)).scalar_one()
    met = sa.union(
        sa.select(trials.c.architecture).where(trials.c.study == study),
        sa.select(evaluations.c.architecture).where(evaluations.c.id.in_(_of(study))),
    )
    for page in _pages(source.execute(sa.select(architectures).where(architectures.c.id.in_(met)))):
        store_architectures(target, {row["id"]: row["canonical"] for row in page})
    number: dict[int, int] = {}  # of an evaluation's row there, by the one here
    for page in _pages(source.execute(_whole.where(evaluations.c.id.in_(_of(study))).order_by(evaluations.c.id))):
        for row in page:
            here = found_path(row["weights"], folder_of(source))
            there = kept_path(here and relocate(here), folder_of(target))
            number[row.pop("id")] = _add(target, {**row, "study": study, "weights": there})
    done = 0
    for page in _pages(source.execute(sa.select(trials).where(trials.c.study == study).order_by(trials.c.number))):
        target.execute(sa.insert(trials), [{**row, "evaluation": number.get(row["evaluation"])} for row in page])
        done += len(page)
        watch(done, total)
    for table in (reports, pulses):
        for page in _pages(source.execute(sa.select(table).where(table.c.study == sa.bindparam("of")), of_study)):
            target.execute(sa.insert(table), page)
    return Copied(done, len(number))


def _point_refinements(connection: sa.Connection, old: str, new: str) -> None:
    """Let refinements say by its new name what they refine."""
    found = sa.select(study_table.c.name, study_table.c.definition).where(study_table.c.kind == StudyKind.REFINE)
    for name, definition in connection.execute(found).all():
        if definition["refines"] == old:
            changed = {**definition, "refines": new}
            connection.execute(sa.update(study_table).where(study_table.c.name == name).values(definition=changed))


def _keep_others_out(connection: sa.Connection) -> None:
    """Let no other driver begin to use what is about to go. SQLite's write lock does that already."""
    if connection.dialect.name == "postgresql":
        # In the order in which a driver's transaction comes to them, so that the two wait for one another in turn.
        connection.execute(sa.text("LOCK TABLE nas_architectures, nas_evaluations IN SHARE ROW EXCLUSIVE MODE"))


def _add(connection: sa.Connection, row: dict[str, Any]) -> int:
    """Add an evaluation unless its key has a success already; the number of the row that stands."""
    statement = insert_missing(connection.dialect.name, evaluations).returning(evaluations.c.id)
    added: int | None = connection.execute(statement, row).scalar_one_or_none()
    if added is not None:
        return added
    same = (evaluations.c[name] == row[name] for name in (*_KEY, "rung"))
    stands = sa.select(evaluations.c.id).where(*same, evaluations.c.failure.is_(None))
    return int(connection.execute(stands).scalar_one())


def _pages(result: sa.CursorResult[Any]) -> Iterator[list[dict[str, Any]]]:
    for page in result.mappings().partitions(_TOGETHER):
        yield [dict(row) for row in page]


_whole = sa.select(evaluations.c.id, *_CONTENT)
_with_weights = sa.select(evaluations.c.id, evaluations.c.weights).where(evaluations.c.weights.is_not(None))
_final = evaluations.alias("final")  # what a trial shows; other rungs of the same training led there
_led = sa.and_(evaluations.c.failure.is_(None), *(evaluations.c[name] == _final.c[name] for name in _KEY))
_used = sa.or_(evaluations.c.id == _final.c.id, _led)
_used_by_others = (
    sa.select(evaluations.c.id, sa.func.min(trials.c.study), evaluations.c.weights)
    .select_from(evaluations.join(_final, _used).join(trials, trials.c.evaluation == _final.c.id))
    .where(evaluations.c.study == sa.bindparam("of"), trials.c.study != sa.bindparam("of"))
    .group_by(evaluations.c.id, evaluations.c.weights)
)


def _of(study: str) -> sa.Select[Any]:
    """The evaluations that a study made, and those that it took over."""
    own = sa.select(evaluations.c.id).where(evaluations.c.study == study)
    taken = (
        sa.select(evaluations.c.id)
        .select_from(evaluations.join(_final, _used).join(trials, trials.c.evaluation == _final.c.id))
        .where(trials.c.study == study)
    )
    return sa.select(own.union(taken).subquery().c.id)
