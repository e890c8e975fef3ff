"""What the latest trainings of a study say about its workers, and what went wrong in all of them."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from nas.ledger.tables import evaluations
from nas.pulse import Pace, node_of
from nas.records import Failure

_LATEST = 500  # trainings; at a thousand workers some of every node are among them

_latest = (
    sa.select(
        evaluations.c.worker,
        evaluations.c.images_per_second,
        evaluations.c.train_seconds,
        evaluations.c.seconds,
        evaluations.c.peak_memory,
    )
    .where(evaluations.c.study == sa.bindparam("of"))
    .order_by(evaluations.c.id.desc())
    .limit(_LATEST)
)
_by_failure = (
    sa.select(evaluations.c.failure, sa.func.count())
    .where(evaluations.c.study == sa.bindparam("of"), evaluations.c.failure.is_not(None))
    .group_by(evaluations.c.failure)
)


def by_node(connection: sa.Connection, study: str) -> dict[str, Pace]:
    """The pace of the latest trainings by the host they ran on."""
    images: defaultdict[str, float] = defaultdict(float)
    spent: defaultdict[str, float] = defaultdict(float)
    memory: defaultdict[str, int] = defaultdict(int)
    for worker, images_per_second, train_seconds, seconds, peak_memory in connection.execute(_latest, {"of": study}):
        if images_per_second is not None:
            node = node_of(worker)
            images[node] += images_per_second * train_seconds
            spent[node] += seconds
            memory[node] = max(memory[node], peak_memory)
    return {
        node: Pace(images_per_second=images[node] / seconds, peak_memory=memory[node])
        for node, seconds in spent.items()
        if seconds
    }


def failures(connection: sa.Connection, study: str) -> dict[Failure, int]:
    """How many trainings of a study failed, by type."""
    return {failure: count for failure, count in connection.execute(_by_failure, {"of": study})}
