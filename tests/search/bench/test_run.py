from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from search_tables import write_table

from nas.executors.base import Report
from nas.records import Evaluation, EvaluationKey, Job
from nas.search.bench.in_process import InProcess
from nas.search.bench.run import Outcome, Task, search_table
from nas.search.bench.summary import summarised


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(table=write_table(tmp_path), folder=None, sampler="random", label="random", seed=0, trials=24)


def test_the_whole_table_is_the_whole_score(task: Task) -> None:
    front = search_table(task)
    assert len(front.curve) == 24
    assert (np.diff(front.curve) >= 0).all()
    assert front.curve[-1] == pytest.approx(1)
    single = search_table(replace(task, quantile=0.5, trials=100))
    assert len(single.curve) < 24
    assert 0 <= single.curve[-1] < 0.01  # the best one may look worse than another


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_a_task_has_one_outcome(task: Task, workers: int) -> None:
    one = replace(task, sampler="surrogate", trials=15, workers=workers)
    np.testing.assert_array_equal(search_table(one).curve, search_table(one).curve)
    assert (search_table(one).curve != search_table(replace(one, seed=1)).curve).any()


def outcome(task: Task, sampler: str, seed: int, curve: list[float], quantile: float | None = None) -> Outcome:
    return Outcome(
        task=replace(task, label=sampler, seed=seed, quantile=quantile), table="t", curve=np.array(curve),
        asking_seconds=0.03, seconds=1.0, rejected=0,
    )  # fmt: skip


def test_summary_says_what_random_search_needs_for_the_same(task: Task) -> None:
    chance = [outcome(task, "random", seed, [0.1, 0.2, 0.3, 0.4]) for seed in range(3)]
    ours = [outcome(task, "ours", seed, [0.2, 0.3 + 0.1 * seed, 0.4, 0.9]) for seed in range(3)]
    lines = {line.sampler: line for line in summarised([*ours, *chance])}
    (last,) = lines["ours"].points
    assert (last.trainings, last.median, last.random, last.more_than) == (4, 0.9, None, 1.0)
    assert lines["random"].points[0].random == 1.0
    assert lines["ours"].curve[1].tolist() == pytest.approx([2, 0.4, 0.35, 0.45])
    assert lines["ours"].proposal_ms == pytest.approx(7.5)
    single = [outcome(task, name, 0, curve, 0.5) for name, curve in (("random", [9, 5, 3, 1]), ("ours", [5, 5, 5, 3]))]
    (ours_point,) = next(line for line in summarised(single) if line.sampler == "ours").points
    assert ours_point.random == 3 / 4


def test_simulated_workers_end_in_the_order_in_which_they_began() -> None:
    def work(job: Job, *, report: Report) -> Evaluation:
        return Evaluation(key=job.key, accuracy=0.5)

    def job(name: str) -> Job:
        key = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=0)
        return Job(id=name, key=key, architecture={}, recipe={}, data="")

    with InProcess(work, workers=3) as executor:
        for name in "abc":
            executor.submit(job(name))
        assert executor.capacity == 0
        with pytest.raises(RuntimeError, match="busy"):
            executor.submit(job("d"))
        assert [one.job_id for one in executor.completed(1.0)] == ["a"]
        executor.cancel("b")
        assert [one.job_id for one in executor.completed(1.0)] == ["c"]
        assert executor.completed(1.0) == []
