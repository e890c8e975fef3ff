from __future__ import annotations

import pytest
from executor_works import work

from nas.executors import LocalExecutor
from nas.executors.ray_needs import Needs
from nas.executors.settings import ExecutorSettings, log_of


@pytest.mark.parametrize(
    ("wanted", "jobs", "workers"), [(4, None, 4), (4, 2, 2), (2, 4, 2), (None, 4, None), (None, None, None)]
)
def test_no_more_workers_than_jobs(wanted: int | None, jobs: int | None, workers: int | None) -> None:
    assert ExecutorSettings(kind="ray", workers=wanted).workers_for(jobs) == workers


def test_settings_of_local_processes_make_them() -> None:
    with ExecutorSettings(workers=3).start(work, jobs=2) as executor:
        assert isinstance(executor, LocalExecutor)
        assert executor.workers == 2
        assert log_of(executor) is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ExecutorSettings(workers=2), "2 at a time on cpu"),
        (
            ExecutorSettings(kind="ray", workers=None, address="auto", needs=Needs(cpus=2, gpus=0.25)),
            "as many at a time as there is room for on the Ray cluster at auto, each with 2 CPU + 0.25 GPU",
        ),
        (
            ExecutorSettings(kind="ray", workers=9, needs=Needs(resources={"site": 1})),
            "5 at a time on a Ray of this machine, each with 1 CPU + 1 site",
        ),
    ],
)
def test_settings_are_said_to_people(settings: ExecutorSettings, words: str) -> None:
    assert settings.describe(5) == words
