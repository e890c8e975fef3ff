"""What every registered executor keeps to."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from executor_works import job, work

from nas.errors import UnknownNameError
from nas.executors import Executor, Finished, executors
from nas.records import Evaluation, Failure

OPTIONS: dict[str, dict[str, Any]] = {"local": {"preload": ("executor_works",)}}
MARKS = {"ray": (pytest.mark.ray, pytest.mark.slow)}
PLACES = {"ray": "ray_here"}  # the fixture that an executor needs, if any
PATIENCE = 30.0  # seconds; only a defect takes this long


def all_of(executor: Executor, count: int) -> dict[str, Evaluation]:
    """The next `count` evaluations by job id, each of which must come once."""
    found: list[Finished] = []
    while len(found) < count:
        new = executor.completed(PATIENCE)
        assert new, f"nothing came within {PATIENCE} s; so far {found}"
        found += new
    assert len({finished.job_id for finished in found}) == count
    return {finished.job_id: finished.evaluation for finished in found}


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, ())) for name in executors])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param in PLACES:
        request.getfixturevalue(PLACES[request.param])
    with executors[request.param](work, workers=2, **OPTIONS.get(request.param, {})) as executor:
        yield executor


def test_an_unknown_executor_is_a_helpful_error() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'local'"):
        executors["locall"]


def test_jobs_come_back_once_with_their_key(executor: Executor) -> None:
    names = [f"job {i}" for i in range(6)]
    found: dict[str, Evaluation] = {}
    waiting = list(names)
    while len(found) < len(names):
        while waiting and executor.capacity:
            executor.submit(job(waiting.pop(0)))
        for finished in executor.completed(PATIENCE):
            assert finished.job_id not in found
            found[finished.job_id] = finished.evaluation
    assert {name: evaluation.key.architecture_id for name, evaluation in found.items()} == {n: n for n in names}
    assert all(evaluation.succeeded and evaluation.worker for evaluation in found.values())
    assert executor.completed(0.0) == []


def test_capacity_is_what_submit_takes(executor: Executor) -> None:
    assert executor.capacity == executor.workers == 2
    executor.submit(job("a", seconds=60))
    assert executor.capacity == 1
    executor.submit(job("b", seconds=60))
    assert executor.capacity == 0
    with pytest.raises(RuntimeError, match="busy"):
        executor.submit(job("c"))
    executor.cancel("a")
    assert executor.capacity == 1


def test_one_id_is_under_way_only_once(executor: Executor) -> None:
    executor.submit(job("a", seconds=60))
    with pytest.raises(ValueError, match="'a'"):
        executor.submit(job("a"))


def test_an_unplain_job_is_refused_and_takes_no_worker(executor: Executor) -> None:
    with pytest.raises(TypeError):
        executor.submit(job("a", thing=object()))
    assert executor.capacity == executor.workers


def test_completed_returns_empty_handed_after_its_time(executor: Executor) -> None:
    executor.submit(job("a", seconds=60))
    assert executor.completed(0.05) == []
    assert list(executor.progress()) == ["a"]


def test_nothing_under_way_is_not_waited_for(executor: Executor) -> None:
    assert executor.completed(1e9) == []


def test_progress_is_known_while_a_job_runs(executor: Executor, tmp_path: Path) -> None:
    executor.submit(job("a", "halves", until=str(tmp_path / "go")))
    assert executor.progress() == {"a": 0.0}
    for _ in range(int(PATIENCE / 0.01)):
        if executor.progress()["a"]:
            break
        executor.completed(0.01)
    assert executor.progress() == {"a": 0.5}
    (tmp_path / "go").touch()
    assert all_of(executor, 1)["a"].succeeded
    assert executor.progress() == {}


def test_the_crew_is_who_is_ready_and_what_each_does(executor: Executor, tmp_path: Path) -> None:
    assert all(not worker.is_busy for worker in executor.worker_states())
    executor.submit(replace(job("a", "halves", until=str(tmp_path / "go")), id="a.1"))
    for _ in range(int(PATIENCE / 0.01)):
        if executor.progress()["a.1"] and len(executor.worker_states()) == executor.workers:
            break
        executor.completed(0.01)
    states = executor.worker_states()
    assert len({worker.name for worker in states}) == len(states) == 2
    (busy,) = [worker for worker in states if worker.is_busy]
    assert (busy.job, busy.architecture_id, busy.rung, busy.fraction) == ("a.1", "a", 0, 0.5)
    assert busy.node == socket.gethostname()
    time.sleep(0.01)
    (later,) = [worker for worker in executor.worker_states() if worker.is_busy]
    assert later.seconds > busy.seconds >= 0.0
    assert later.silent > busy.silent >= 0.0
    (tmp_path / "go").touch()
    assert all_of(executor, 1)["a.1"].worker == busy.name
    assert not any(worker.is_busy for worker in executor.worker_states())
    executor.close()
    assert list(executor.worker_states()) == []


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ("fail", "ZeroDivisionError: no luck"),
        ("leave", "SystemExit: enough"),
        ("nothing", "not an Evaluation"),
        ("another", "another"),
        ("unplain", "not JSON serializable"),
        ("misnamed", "bad luck"),
    ],
)
def test_a_defect_of_the_work_is_a_bug_with_its_traceback(executor: Executor, do: str, message: str) -> None:
    executor.submit(job("a", do))
    evaluation = all_of(executor, 1)["a"]
    assert evaluation.failure is Failure.BUG
    assert message in evaluation.message
    assert evaluation.traceback.startswith("Traceback")
    assert evaluation.key == job("a").key
    executor.submit(job("b"))
    assert all_of(executor, 1)["b"].succeeded


def test_a_lost_worker_costs_its_own_job_only(executor: Executor) -> None:
    executor.submit(job("a", "die"))
    executor.submit(job("b", seconds=0.2))
    found = all_of(executor, 2)
    assert found["a"].failure is Failure.NODE_LOST
    assert found["a"].key == job("a").key
    assert found["b"].succeeded
    for name in ("c", "d"):
        executor.submit(job(name))
    assert all(evaluation.succeeded for evaluation in all_of(executor, 2).values())


def test_a_cancelled_job_never_comes_back(executor: Executor) -> None:
    executor.submit(job("a", seconds=60))
    executor.completed(0.1)
    executor.cancel("a")
    executor.cancel("unheard of")
    assert executor.capacity == 2
    for name in ("b", "c"):
        executor.submit(job(name))
    assert set(all_of(executor, 2)) == {"b", "c"}
    assert executor.completed(0.0) == []


def test_a_cancelled_id_is_free_again(executor: Executor) -> None:
    executor.submit(job("a", seconds=60))
    executor.cancel("a")
    executor.submit(job("a"))
    assert all_of(executor, 1)["a"].succeeded


def test_a_large_evaluation_and_a_large_job_arrive_whole(executor: Executor) -> None:
    executor.submit(job("a", "say_much", letters=3_000_000))
    executor.submit(job("b", "measure", text="x" * 3_000_000))
    found = all_of(executor, 2)
    assert len(found["a"].message) == found["b"].images == 3_000_000


def test_close_ends_running_jobs_and_may_be_repeated(executor: Executor) -> None:
    executor.submit(job("a", seconds=60))
    executor.completed(0.1)
    executor.close()
    executor.close()
    assert executor.capacity == 0
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(job("b"))
    with pytest.raises(RuntimeError, match="closed"):
        executor.completed(0.0)
