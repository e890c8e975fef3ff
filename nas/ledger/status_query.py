"""Looking at a study from outside: its lease says who drives it, its pulse how far it is, its rows what is certain."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from nas.ledger import leases, paces, pulses, studies
from nas.ledger.failures import DamageError
from nas.ledger.status import Driving, StudyStatus
from nas.ledger.summary import StudySummary
from nas.ledger.tables import as_kept, evaluations, leases as lease_table, meant, pulses as pulse_table, trials
from nas.pulse import Pulse


def read(connection: sa.Connection, study: str) -> StudyStatus:
    """How a study stands.

    Raises:
        StudyError: no such study.
    """
    kind = studies.read(connection, study).kind
    now = leases.now_of(connection)
    held = connection.execute(sa.select(lease_table).where(lease_table.c.study == study)).one_or_none()
    found = pulses.read(connection, study)
    pulse, written = (Pulse(study=study), None) if found is None else found
    driving = Driving.IDLE
    if held is not None:
        is_ahead = held.renewed - now > leases.LEASE_SECONDS  # the clock was set back, and nobody has written since
        is_alive = not is_ahead and leases.is_alive(held, f"{socket.gethostname()}:{os.getpid()}", now)
        driving = Driving.RUNNING if is_alive else Driving.SILENT
    is_current = driving is Driving.RUNNING and written is not None and held is not None and written >= held.since
    return StudyStatus(
        kind=kind,
        driving=driving,
        driver=pulse.driver if held is None else held.holder,
        since=None if held is None else held.since,
        heard=None if held is None else max(0.0, now - held.renewed),
        pulse=pulse if is_current else _counted(connection, pulse),
        pulse_age=None if written is None else max(0.0, now - written),
    )


def with_states(connection: sa.Connection, summaries: Iterable[StudySummary]) -> list[StudySummary]:
    """Studies with how each stands; one of which that is damaged is damaged."""
    now = leases.now_of(connection)
    told = {row.study: row.content for row in connection.execute(_told)}
    held = set(connection.execute(sa.select(lease_table.c.study)).scalars())

    def state(study: str) -> str:
        if study in held:
            lease = connection.execute(sa.select(lease_table).where(lease_table.c.study == study)).one()
            is_alive = leases.is_alive(lease, f"{socket.gethostname()}:{os.getpid()}", now)
            return (Driving.RUNNING if is_alive else Driving.SILENT).value
        if study not in told:
            return "new"
        return "ended" if meant(pulse_table.c.content, told[study]).get("stop") else "interrupted"

    def stated(one: StudySummary) -> StudySummary:
        try:
            return replace(one, state=state(one.name))
        except DamageError as error:
            return StudySummary.damaged(one.name, one.created, error.problem)

    return [one if one.problem else stated(one) for one in summaries]


def _counted(connection: sa.Connection, said: Pulse) -> Pulse:
    """What the rows of a study come to, with what only its last driver knew; that one has no workers any more."""
    best = connection.execute(_best, {"of": said.study}).one_or_none()
    return replace(
        said,
        trials={state: count for state, count in connection.execute(_by_state, {"of": said.study})},
        failures=paces.failures(connection, said.study),
        slots=0,
        workers=(),
        nodes=(),
        images_per_second=None,
        train_seconds=connection.execute(_seconds, {"of": said.study}).scalar() or 0.0,
        best="" if best is None else best.architecture,
        best_accuracy=None if best is None else best.accuracy,
        seconds_left=None,
    )


_told = sa.select(pulse_table.c.study, as_kept(pulse_table.c.content).label("content"))
_by_state = (
    sa.select(trials.c.state, sa.func.count()).where(trials.c.study == sa.bindparam("of")).group_by(trials.c.state)
)
_seconds = sa.select(sa.func.sum(evaluations.c.seconds)).where(evaluations.c.study == sa.bindparam("of"))
_best = (
    sa.select(evaluations.c.architecture, evaluations.c.accuracy)
    .join(trials, trials.c.evaluation == evaluations.c.id)
    .where(trials.c.study == sa.bindparam("of"), evaluations.c.accuracy.is_not(None))
    .order_by(evaluations.c.rung.desc(), evaluations.c.accuracy.desc(), trials.c.number)
    .limit(1)
)
