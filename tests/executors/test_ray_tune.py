"""Climbs on Ray Tune against real processes: halved, killed, refused and interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from executor_works import SCRIPT_PATH, job, work

from nas.errors import NasError, UserError
from nas.executors.ray_needs import Needs
from nas.executors.ray_tune import Climb, RayTune
from nas.records import Evaluation

pytestmark = [pytest.mark.ray, pytest.mark.slow]


class Notes:
    """A referee that remembers, and stops whom it is told to stop.

    Attributes:
        begun: numbers in the order they began.
        judged: numbers and jobs in the order they were reported.
        turns: how often it had its turn.
    """

    def __init__(self, stop: Callable[[int, Evaluation], bool] = lambda number, evaluation: False) -> None:
        self._stop = stop
        self.begun: list[int] = []
        self.judged: list[tuple[int, str]] = []
        self.turns = 0

    def begin(self, number: int) -> None:
        self.begun.append(number)

    def judge(self, number: int, evaluation: Evaluation) -> bool:
        self.judged.append((number, evaluation.key.architecture))
        return evaluation.succeeded and not self._stop(number, evaluation)

    def turn(self) -> None:
        self.turns += 1


@pytest.fixture
def tuner(ray_here: None, tmp_path: Path) -> Iterator[RayTune]:
    with RayTune(work, workers=2, needs=Needs(cpus=0.5), log=tmp_path / "ray.log") as started:
        yield started


def climb(number: int, *does: str, **details: Any) -> Climb:
    return Climb(number=number, jobs=tuple(job(f"{number}.{rung}", do, **details) for rung, do in enumerate(does)))


def test_climbs_go_on_as_long_as_they_may(tuner: RayTune, capfd: pytest.CaptureFixture[str]) -> None:
    notes = Notes(stop=lambda number, evaluation: number % 2 == 1 and evaluation.key.architecture.endswith(".1"))
    before = dict(os.environ)
    assert tuner.run([climb(number, "sleep", "sleep", "where") for number in range(4)], notes) == {}
    assert sorted(notes.begun) == [0, 1, 2, 3]
    assert sorted(notes.judged) == [
        (number, f"{number}.{rung}") for number in range(4) for rung in range(2 if number % 2 else 3)
    ]
    assert notes.turns > 0
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")
    assert tuner.log_path.exists()


def test_a_failure_ends_a_climb_and_a_death_is_told(tuner: RayTune) -> None:
    notes = Notes()
    lost = tuner.run([climb(0, "sleep", "fail", "sleep"), climb(1, "sleep", "die", "sleep"), climb(2, "sleep")], notes)
    assert list(lost) == [1]
    assert "died" in lost[1]
    assert sorted(notes.judged) == [(0, "0.0"), (0, "0.1"), (1, "1.0"), (2, "2.0")]
    assert tuner.run([climb(1, "sleep", "sleep")], notes) == {}  # what was lost is given to another run


@pytest.mark.parametrize("error", [UserError("the disk is full"), NasError("taken over")])
def test_what_the_referee_raises_comes_out(tuner: RayTune, error: NasError) -> None:
    def refuse(number: int, evaluation: Evaluation) -> bool:
        raise error

    with pytest.raises(type(error), match=str(error)):
        tuner.run([climb(0, "sleep", "sleep")], Notes(stop=refuse))


def test_other_code_is_refused(tuner: RayTune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.executors.ray_tune.code_version", lambda: "0.0.0+other")
    with pytest.raises(UserError, match=r"has nas \S+, this program 0.0.0\+other; .* same code on every node"):
        tuner.run([climb(0, "sleep")], Notes())


def test_no_room_is_waited_for_and_then_an_error(ray_here: None, tmp_path: Path) -> None:
    needs = Needs(resources={"unheard of": 1})
    with (
        RayTune(work, needs=needs, room_seconds=2.0, log=tmp_path / "log") as tuner,
        pytest.raises(NasError, match=r"no node had room for a worker of 1 CPU \+ 1 unheard of"),
    ):
        tuner.run([climb(0, "sleep")], Notes())


def test_a_ray_of_our_own_gives_its_workers_their_threads_and_ends(tmp_path: Path) -> None:
    script = """
        from pathlib import Path
        from executor_works import SCRIPT_PATH, job, work
        from nas.executors.ray_needs import Needs
        from nas.executors.ray_tune import Climb, RayTune

        class Notes:
            def begin(self, number): ...
            def turn(self): ...
            def judge(self, number, evaluation):
                print(evaluation.message, evaluation.images)
                return False

        names = ["OMP_NUM_THREADS", "GLIBC_TUNABLES"]
        with RayTune(work, needs=Needs(cpus=2), log=Path("log")) as tuner:
            tuner.run([Climb(number=0, jobs=(job("a", "environment", names=names),))], Notes())
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": SCRIPT_PATH},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("2 glibc.malloc.hugetlb=1 2\n", "", 0)
