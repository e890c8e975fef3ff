from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
from search_tables import write_table

from nas.errors import UserError
from nas.search.bench.kept import Kept
from nas.search.bench.many import search_tables
from nas.search.bench.run import Task

Found = dict[int, list[float]]


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    task = Task(table=write_table(tmp_path), folder=None, sampler="random", label="random", seed=0, trials=3)
    return [replace(task, seed=seed) for seed in range(3)]


def done(tasks: list[Task], file: Path | None, *, jobs: int = 1, content: str = "a") -> tuple[Found, list[int]]:
    """The curves by seed, and the counts that were told."""
    counts: list[int] = []
    kept = Kept(file, lambda path: content)
    outcomes = search_tables(tasks, kept=kept, jobs=jobs, watch=lambda done, total: counts.append(done))
    return {one.task.seed: one.curve.tolist() for one in outcomes}, counts


@pytest.mark.slow
def test_searches_may_be_done_in_processes(tasks: list[Task]) -> None:
    found, counts = done(tasks, None, jobs=2)
    assert counts == [0, 1, 2, 3]
    assert found == done(tasks, None)[0]


@pytest.mark.slow
def test_an_interruption_ends_the_searches_under_way(tasks: list[Task]) -> None:
    outcomes = search_tables(
        [replace(one, sampler="gp", trials=24, seed=seed) for seed, one in enumerate(tasks * 4)],
        kept=Kept(None, str), jobs=2, watch=lambda done, total: None,
    )  # fmt: skip
    next(outcomes)
    with pytest.raises(KeyboardInterrupt):
        outcomes.throw(KeyboardInterrupt)
    for child in multiprocessing.active_children():
        child.join(10)
        assert not child.is_alive()


@pytest.mark.slow
def test_what_is_kept_is_not_done_again(tasks: list[Task], tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    first, _ = done(tasks[:2], file)
    with file.open("a") as torn:
        torn.write('{"key": "half a li')
    found, counts = done(tasks, file)
    assert counts == [0, 3]  # two at once, one searched
    assert {seed: found[seed] for seed in (0, 1)} == first
    assert found == done(tasks, None)[0]
    _, counts = done([replace(one, label="another name") for one in tasks], file)
    assert counts == [0]


@pytest.mark.slow
def test_what_is_kept_of_another_table_or_search_is_not_used(tasks: list[Task], tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    done(tasks, file)
    assert done(tasks, file, content="b")[1] == [0, 1, 2, 3]
    assert done([replace(one, trials=4) for one in tasks], file)[1] == [0, 1, 2, 3]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text('{"a": 1}\n')
    with pytest.raises(UserError, match=r"notes\.txt: not a file of finished searches"):
        Kept(file, str)
