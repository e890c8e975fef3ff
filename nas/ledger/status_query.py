"""Looking at a study from outside: its lease says who drives it, its pulse how far it is, its rows what is certain."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import sqlalchemy as sa

from nas.ledger import leases, paces, pulses, studies
from nas.ledger.status import Driving, StudyStatus
from nas.ledger.tables import evaluations, leases as lease_table, pulses as pulse_table, trials
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


def states(connection: sa.Connection) -> dict[str, str]:
    """How each study stands that somebody drives or has driven, in the words of `StudySummary.state`."""
    now, me = leases.now_of(connection), f"{socket.gethostname()}:{os.getpid()}"
    told = {row.study: row.content for row in connection.execute(sa.select(pulse_table.c.study, pulse_table.c.content))}
    found = {study: "ended" if content.get("stop") else "interrupted" for study, content in told.items()}
    for held in connection.execute(sa.select(lease_table)):
        found[held.study] = (Driving.RUNNING if leases.is_alive(held, me, now) else Driving.SILENT).value
    return found


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
