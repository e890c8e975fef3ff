from __future__ import annotations

import pytest
from simulations import NEVER, jobs, make_world

from nas.executors.base import Executor
from nas.search.simulation.executor import SimulatedExecutor

WORLD = make_world(odds=NEVER)


def test_jobs_end_one_by_one_in_the_order_of_their_ends_whatever_the_order_of_submission() -> None:
    given = jobs(6)
    orders = []
    for order in (given, given[::-1]):
        with SimulatedExecutor(WORLD.outcome, workers=6) as executor:
            for job in order:
                executor.submit(job)
            ended, moments = [], []
            while found := executor.completed(timeout=0.0):
                (one,) = found
                ended.append(one)
                moments.append(executor.now)
            assert moments == sorted(moments)
            assert executor.busy == sum(moments)
            orders.append(ended)
    assert orders[0] == orders[1]
    assert {one.job_id for one in orders[0]} == {job.id for job in given}


def test_it_refuses_what_every_executor_refuses() -> None:
    first, second, third = jobs(3)
    with SimulatedExecutor(WORLD.outcome, workers=2) as executor:
        narrowed: Executor = executor  # it is one, as mypy sees it
        assert (narrowed.workers, narrowed.capacity) == (2, 2)
        executor.submit(first)
        with pytest.raises(ValueError, match="under way already"):
            executor.submit(first)
        executor.submit(second)
        with pytest.raises(RuntimeError, match="all 2 workers are busy"):
            executor.submit(third)
        assert set(executor.progress().values()) == {0.0}
        (ended,) = executor.completed(timeout=0.0)
        (left,) = executor.progress()
        assert {left, ended.job_id} == {first.id, second.id}
        assert 0 < executor.progress()[left] < 1
        executor.cancel(left)
        executor.cancel(left)
        assert executor.capacity == 2
        assert executor.completed(timeout=0.0) == []


def test_a_driver_that_is_late_finds_several_trainings_ended() -> None:
    with SimulatedExecutor(WORLD.outcome, workers=5, together=3) as executor:
        for job in jobs(5):
            executor.submit(job)
        assert [len(executor.completed(timeout=0.0)) for _ in range(3)] == [3, 2, 0]
