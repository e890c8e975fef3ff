"""Everything that is known of one candidate of a study: its trials, and the trainings it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from nas.ledger import studies
from nas.ledger.evaluations import COLUMNS, from_row
from nas.ledger.relative import folder_of
from nas.ledger.tables import evaluations, trials
from nas.records import Evaluation, Plain, TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One trial of the candidate. Times are ISO 8601, UTC.

    Attributes:
        number: of the trial.
        state: where it stands.
        choices, cost, overrun, sampler: as in `TrialRecord`.
        attempts: how often it was submitted.
        asked: when it was written first; None if that was by an older program.
        submitted: when it was last handed to a worker; None if it never was, or by an older program.
        updated: when its row last changed.
    """

    number: int
    state: TrialState
    choices: Mapping[str, Plain]
    cost: Mapping[str, Plain]
    overrun: Mapping[str, float]
    sampler: Mapping[str, Plain]
    attempts: int
    asked: str | None
    submitted: str | None
    updated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a training of the candidate gave, when (ISO 8601, UTC), and the study that paid for it."""

    evaluation: Evaluation
    finished: str
    study: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateHistory:
    """A candidate of a study: its trials by number, and the outcomes in the order in which they came."""

    study: str
    architecture_id: str
    asks: tuple[Ask, ...]
    outcomes: tuple[Outcome, ...]


def read(connection: sa.Connection, study: str, architecture_id: str) -> CandidateHistory:
    """What is known of an architecture of a study, by its whole id.

    Raises:
        StudyError: no such study.
    """
    studies.require(connection, study)
    rows = connection.execute(_trials, {"of": study, "which": architecture_id}).all()
    linked = {row.evaluation for row in rows if row.evaluation is not None}
    return CandidateHistory(
        study=study,
        architecture_id=architecture_id,
        asks=tuple(_ask(row) for row in rows),
        outcomes=_outcomes(connection, study, architecture_id, linked),
    )


def _outcomes(connection: sa.Connection, study: str, architecture_id: str, linked: set[int]) -> tuple[Outcome, ...]:
    """The trainings that the study paid for or took its results from, those on the lower rungs included."""
    folder = folder_of(connection)
    found = {
        identity: Outcome(evaluation=from_row(content, folder), finished=finished, study=trainer)
        for identity, finished, trainer, *content in connection.execute(_evaluations, {"which": architecture_id})
    }
    used = [found[identity].evaluation for identity in linked]
    return tuple(
        outcome
        for identity, outcome in found.items()
        if outcome.study == study or identity in linked or _is_below(outcome.evaluation, used)
    )


def _is_below(evaluation: Evaluation, used: Sequence[Evaluation]) -> bool:
    """Whether it is the success of the same training at a lower rung."""
    key = evaluation.key
    return evaluation.succeeded and any(
        (key.recipe, key.fingerprint, key.seed) == (one.key.recipe, one.key.fingerprint, one.key.seed)
        and key.rung < one.key.rung
        for one in used
    )


def _ask(row: sa.Row[tuple[object, ...]]) -> Ask:
    return Ask(
        number=row.number,
        state=row.state,
        choices=row.choices,
        cost=row.cost,
        overrun=row.overrun,
        sampler=row.sampler,
        attempts=row.attempts,
        asked=row.asked,
        submitted=row.submitted,
        updated=row.updated,
    )


_trials = (
    sa.select(trials)
    .where(trials.c.study == sa.bindparam("of"), trials.c.architecture == sa.bindparam("which"))
    .order_by(trials.c.number)
)
_evaluations = (
    sa.select(evaluations.c.id, evaluations.c.finished, evaluations.c.study, *COLUMNS)
    .where(evaluations.c.architecture == sa.bindparam("which"))
    .order_by(evaluations.c.id)
)
