"""The workers of a search by the host they run on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from nas.pulse import NodeState, Pace, WorkerState


def node_states(workers: Sequence[WorkerState], paces: Mapping[str, Pace]) -> tuple[NodeState, ...]:
    """Each host that has workers, by name.

    Args:
        workers: that are ready for jobs.
        paces: of one worker, by host, as far as it is known.
    """
    ready = Counter(worker.node for worker in workers)
    busy = Counter(worker.node for worker in workers if worker.is_busy)
    return tuple(_state(node, ready[node], busy[node], paces.get(node)) for node in sorted(ready))


def total_pace(nodes: Sequence[NodeState]) -> float | None:
    """Training images a second of all hosts; None if it is known of none."""
    known = [node.images_per_second for node in nodes if node.images_per_second is not None]
    return sum(known) if known else None


def _state(name: str, workers: int, busy: int, pace: Pace | None) -> NodeState:
    return NodeState(
        name=name,
        workers=workers,
        busy=busy,
        images_per_second=None if pace is None else pace.images_per_second * busy,
        peak_memory=None if pace is None else pace.peak_memory,
    )
