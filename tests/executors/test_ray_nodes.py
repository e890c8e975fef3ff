"""Looks at nodes that come back, that take long and that fail."""

from __future__ import annotations

import threading
import time

import pytest

from nas.executors.ray_nodes import Nodes, NodeWatch

TWO = Nodes([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 4.0}], [{"CPU": 1.0, "GPU": 2.0}, {"CPU": 4.0}])


def test_use_is_said_by_resource() -> None:
    assert TWO.describe() == "nodes: 8 CPU + 2 GPU, 4 CPU + 0 GPU"
    assert TWO.describe_use() == "7 of 12 CPU, 0 of 2 GPU"
    assert Nodes((), ()).describe() == "nodes: none"


def test_a_look_that_does_not_come_back_holds_nobody_up() -> None:
    answers = threading.Semaphore(1)

    def look(workers: bool) -> Nodes:
        answers.acquire()
        return TWO

    watch = NodeWatch(look, patience=10.0)
    assert watch.latest is TWO
    time.sleep(0.05)
    first, second = watch.refresh(workers=False), watch.refresh(workers=True)
    assert 0.05 <= first <= second
    answers.release(2)
    watch._thread.join(10.0)
    assert watch.refresh(workers=False) == 0.0
    answers.acquire(timeout=0.5)  # what is left, if a look has not taken it
    with pytest.raises(TimeoutError):
        NodeWatch(look, patience=0.01)


def test_what_a_look_raises_is_raised_by_who_wants_to_know() -> None:
    def look(workers: bool) -> Nodes:
        raise OSError("no way")

    with pytest.raises(OSError, match="no way"):
        NodeWatch(look, patience=10.0)
