"""How many workers fit on a node, without Ray."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nas.errors import UserError
from nas.executors.ray_needs import Needs


@pytest.mark.parametrize(
    ("needs", "room"),
    [
        (Needs(), 8),
        (Needs(cpus=0.1), 80),
        (Needs(cpus=3), 2),
        (Needs(gpus=0.25), 8),
        (Needs(gpus=0.4), 4),  # two on each device; nobody gets a part of two
        (Needs(gpus=1), 2),
        (Needs(gpus=2), 1),
        (Needs(gpus=3), 0),
        (Needs(resources={"fast": 0.1}), 8),
        (Needs(resources={"fast": 0.5}), 2),
        (Needs(resources={"unheard of": 1}), 0),
    ],
    ids=str,
)
def test_room_is_that_of_the_scarcest_resource(needs: Needs, room: int) -> None:
    assert needs.room({"CPU": 8.0, "GPU": 2.0, "fast": 1.0}) == room


@given(cpus=st.integers(1, 100), parts=st.integers(1, 100))
def test_equal_parts_of_a_whole_all_fit(cpus: int, parts: int) -> None:
    assert Needs(cpus=cpus / parts).room({"CPU": float(cpus)}) == parts


@pytest.mark.parametrize("wrong", [{"cpus": 0}, {"gpus": -1}, {"gpus": 1.5}, {"resources": {"fast": 0}}])
def test_needs_that_nobody_can_have_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match="got"):
        Needs(**wrong)


@pytest.mark.parametrize(("cpus", "threads"), [(0.5, 1), (1, 1), (2.5, 2), (4, 4)])
def test_threads_are_the_whole_cores(cpus: float, threads: int) -> None:
    assert Needs(cpus=cpus).threads == threads
