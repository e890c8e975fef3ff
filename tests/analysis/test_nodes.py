from __future__ import annotations

from nas.analysis.nodes import node_states, total_pace
from nas.pulse import NodeState, Pace, WorkerState


def test_workers_are_counted_by_their_host() -> None:
    states = [
        WorkerState(name="n2:1", job="1"), WorkerState(name="n1:1"), WorkerState(name="n1:2", job="2"),
        WorkerState(name="n1:3", job="3"),
    ]  # fmt: skip
    paces = {"n1": Pace(images_per_second=10.0, peak_memory=7), "gone": Pace(images_per_second=1.0, peak_memory=9)}
    assert node_states(states, paces) == (
        NodeState(name="n1", workers=3, busy=2, images_per_second=20.0, peak_memory=7),
        NodeState(name="n2", workers=1, busy=1),
    )


def test_the_pace_of_all_is_that_of_those_that_are_known() -> None:
    nodes = node_states([WorkerState(name="n1:1", job="1"), WorkerState(name="n2:1", job="2")], {})
    assert total_pace(nodes) is None
    assert total_pace([]) is None
    some = node_states(
        [WorkerState(name="n1:1", job="1"), WorkerState(name="n2:1", job="2")],
        {"n1": Pace(images_per_second=30.0, peak_memory=1)},
    )
    assert total_pace(some) == 30.0
