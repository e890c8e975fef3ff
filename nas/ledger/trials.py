"""Trials: the candidates of a study in the order they were asked for, and what became of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from nas.errors import StudyError
from nas.ledger import evaluations, studies
from nas.ledger.engine import insert
from nas.ledger.relative import folder_of
from nas.ledger.tables import evaluations as evaluation_table, trials
from nas.records import Ending, Evaluation, TrialRecord, TrialState

OPEN = (TrialState.QUEUED, TrialState.STOPPED, TrialState.FAILED)
"""States that may still change; REJECTED, DONE and REUSED are final."""

_COLUMNS = (
    trials.c.number,
    trials.c.architecture,
    trials.c.choices,
    trials.c.cost,
    trials.c.overrun,
    trials.c.state,
    trials.c.sampler,
    trials.c.evaluation,
    trials.c.attempts,
)
_CHANGEABLE = ("choices", "cost", "overrun", "state", "sampler", "evaluation", "updated")  # not `attempts`, nor `asked`

# Statements are built once: building one costs more than SQLite needs to run it.
_is_open = sa.or_(*(trials.c.state == state for state in OPEN))
_is_it = sa.and_(trials.c.study == sa.bindparam("in_study"), trials.c.number == sa.bindparam("at"))
_has_success = sa.and_(evaluation_table.c.id.is_not(None), evaluation_table.c.failure.is_(None))
_found = (
    sa.select(trials.c.architecture, _has_success)
    .outerjoin_from(trials, evaluation_table, trials.c.evaluation == evaluation_table.c.id)
    .where(_is_it)
)
_set_attempts = (
    sa.update(trials)
    .where(_is_it)
    .values(attempts=sa.bindparam("count"), updated=sa.bindparam("now"), submitted=sa.bindparam("now"))
)
_close = (
    sa.update(trials)
    .where(_is_it, _is_open)
    .values(state=sa.bindparam("to"), evaluation=sa.bindparam("by"), updated=sa.bindparam("now"))
)
_fall = sa.update(trials).where(_is_it, _is_open).values(state=sa.bindparam("to"), updated=sa.bindparam("now"))
_architectures_between = sa.select(trials.c.number, trials.c.architecture).where(
    trials.c.study == sa.bindparam("in_study"), trials.c.number.between(sa.bindparam("first"), sa.bindparam("last"))
)


@cache
def _upsertion(dialect: str) -> sqlite.Insert | postgresql.Insert:
    statement = insert(dialect, trials)
    return statement.on_conflict_do_update(
        index_elements=["study", "number"],
        set_={name: statement.excluded[name] for name in _CHANGEABLE},
        where=_is_open,
    )


def write(connection: sa.Connection, study: str, records: Sequence[TrialRecord], updated: str) -> None:
    """Add trials, or bring open ones of the same number to what the record says; final ones stay as they are.

    Raises:
        StudyError: no such study, or a number already stands for another architecture.
    """
    studies.require(connection, study)
    if not records:
        return
    _reject_other_architectures(connection, study, records)
    rows = [_values(connection, study, record, updated) for record in records]
    connection.execute(_upsertion(connection.dialect.name), rows)


def set_attempts(connection: sa.Connection, study: str, attempts: Mapping[int, int], updated: str) -> None:
    """Say how often trials were submitted, by number.

    Raises:
        StudyError: no such trial.
    """
    for number, count in attempts.items():
        row = {"in_study": study, "at": number, "count": count, "now": updated}
        if not connection.execute(_set_attempts, row).rowcount:
            _reject_unknown(connection, study, number)


def finish_all(connection: sa.Connection, study: str, endings: Iterable[Ending], updated: str) -> list[Evaluation]:
    """`finish` for each of several trials, in their order."""
    return [finish(connection, study, one.number, one.evaluation, one.state, updated) for one in endings]


def finish(
    connection: sa.Connection, study: str, number: int, evaluation: Evaluation, state: TrialState, updated: str
) -> Evaluation:
    """Store an evaluation and close its trial, unless the trial is final already.

    Returns:
        The evaluation that stands for the trial's key: the first success, or the failure handed in.

    Raises:
        StudyError: no such trial.
    """
    _check_outcome(evaluation, state)
    trial = {"in_study": study, "at": number}
    found = connection.execute(_found, trial).one_or_none()
    if found is None:
        _reject_unknown(connection, study, number)
    architecture, has_success = found
    if architecture != evaluation.key.architecture_id:
        raise ValueError(f"trial {number} is of architecture {architecture}, the evaluation is of {evaluation.key}")
    identity, standing = evaluations.keep(connection, study, evaluation, updated)
    if state is TrialState.FAILED and has_success:  # it has failed on its way up: it keeps the rung that it came from
        connection.execute(_fall, {**trial, "to": state, "now": updated})
        return standing
    link = None if state is TrialState.QUEUED else identity
    connection.execute(_close, {**trial, "to": state, "by": link, "now": updated})
    return standing


def read(connection: sa.Connection, study: str, states: Collection[TrialState] | None) -> list[TrialRecord]:
    """The trials of a study by number, with their evaluations; of some states only, or of all for None.

    Raises:
        StudyError: no such study.
    """
    studies.require(connection, study)
    statement = _with_evaluations(study)
    if states is not None:
        statement = statement.where(trials.c.state.in_(list(states)))
    folder = folder_of(connection)
    return [_from_row(row, folder) for row in connection.execute(statement.order_by(trials.c.number))]


def page(connection: sa.Connection, study: str, first: int, size: int) -> list[TrialRecord]:
    """The trials from number `first` on, `size` of them at most, by number.

    Raises:
        StudyError: no such study.
    """
    studies.require(connection, study)
    statement = _with_evaluations(study).where(trials.c.number >= first).order_by(trials.c.number).limit(size)
    folder = folder_of(connection)
    return [_from_row(row, folder) for row in connection.execute(statement)]


class Times(NamedTuple):
    """When a trial was asked for, and when the training of its result ended; ISO 8601, UTC.

    Attributes:
        asked: None if that was noted down by an older program.
        finished: None without a result; of a reused one perhaps before `asked`.
    """

    asked: str | None
    finished: str | None


def times(connection: sa.Connection, study: str, numbers: Collection[int]) -> dict[int, Times]:
    """The times of those trials that there are, by number."""
    joined = trials.outerjoin(evaluation_table, trials.c.evaluation == evaluation_table.c.id)
    statement = (
        sa.select(trials.c.number, trials.c.asked, evaluation_table.c.finished)
        .select_from(joined)
        .where(trials.c.study == study, trials.c.number.in_(numbers))
    )
    return {number: Times(asked, finished) for number, asked, finished in connection.execute(statement)}


def _with_evaluations(study: str) -> sa.Select[Any]:
    joined = trials.outerjoin(evaluation_table, trials.c.evaluation == evaluation_table.c.id)
    return sa.select(*_COLUMNS, *evaluations.COLUMNS).select_from(joined).where(trials.c.study == study)


def _from_row(row: Sequence[Any], folder: Path | None) -> TrialRecord:
    number, architecture, choices, cost, overrun, state, sampler, evaluation, attempts = row[: len(_COLUMNS)]
    return TrialRecord(
        number=number,
        architecture_id=architecture,
        choices=choices,
        cost=cost,
        overrun=overrun,
        state=state,
        sampler=sampler,
        evaluation=None if evaluation is None else evaluations.from_row(row[len(_COLUMNS) :], folder),
        attempts=attempts,
    )


def _values(connection: sa.Connection, study: str, record: TrialRecord, updated: str) -> dict[str, Any]:
    evaluation = record.evaluation
    _check_record(record)
    kept = None if evaluation is None else evaluations.keep(connection, study, evaluation, updated)
    return {
        "study": study,
        "number": record.number,
        "architecture": record.architecture_id,
        "choices": record.choices,
        "cost": record.cost,
        "overrun": record.overrun,
        "state": record.state,
        "sampler": record.sampler,
        "evaluation": None if kept is None else kept[0],
        "attempts": record.attempts,
        "updated": updated,
        "asked": updated,
    }


def _check_record(record: TrialRecord) -> None:
    closed = record.state in (TrialState.STOPPED, TrialState.DONE, TrialState.REUSED, TrialState.FAILED)
    if closed != (record.evaluation is not None):
        raise ValueError(f"trial {record.number} is {record.state} {'without' if closed else 'with'} an evaluation")
    if record.evaluation is not None:
        _check_outcome(record.evaluation, record.state)


def _check_outcome(evaluation: Evaluation, state: TrialState) -> None:
    succeeded = (TrialState.STOPPED, TrialState.DONE, TrialState.REUSED)
    fitting = succeeded if evaluation.succeeded else (TrialState.FAILED, TrialState.QUEUED)
    if state not in fitting:
        raise ValueError(
            f"an evaluation that ended with {evaluation.failure or 'success'} cannot leave a trial {state}"
        )


def _reject_other_architectures(connection: sa.Connection, study: str, records: Sequence[TrialRecord]) -> None:
    numbers = [record.number for record in records]
    rows = connection.execute(_architectures_between, {"in_study": study, "first": min(numbers), "last": max(numbers)})
    stored = {row.number: row.architecture for row in rows}
    for record in records:
        known = stored.get(record.number, record.architecture_id)
        if known != record.architecture_id:
            raise StudyError(
                f"trial {record.number} of study {study!r} already stands for architecture {known}, "
                f"not {record.architecture_id}; the study was continued with another definition"
            )


def _reject_unknown(connection: sa.Connection, study: str, number: int) -> NoReturn:
    studies.require(connection, study)
    raise StudyError(f"study {study!r} has no trial {number}")
