"""What the engine adds to a training: ledger, sampler and Optuna's tables, with trainings that take no time.

`pytest -m benchmark -s tests/benchmarks/test_engine.py` prints milliseconds; only ratios are asserted.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
import pytest

from nas.cost import Budget
from nas.executors.base import Report
from nas.ledger import Ledger
from nas.records import Evaluation, Job, StudyKind, StudyRecord
from nas.search.bench.in_process import InProcess
from nas.search.definition import StudyDefinition
from nas.search.driver import Driver
from nas.search.optuna.mirror import Mirror
from nas.search.optuna.trials import asking
from nas.search.pulse import Progress
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.space import load_space
from nas.train.recipe import Recipe

BUDGETS = {"tiny": "30MFLOPs", "modern": "4.2..4.5GFLOPs"}  # of 11 decisions, and of 171 of which some 55 arise
FINISHED = 1_000
WINDOW = 100  # trials over which the time of one is averaged


class Pace(NamedTuple):
    """Milliseconds of one trial, those of them that were not the sampler's, and its processor time.

    The last does not grow when others use the machine, but leaves out what the disk takes.
    """

    total: float
    outside: float
    processor: float


def instant(job: Job, *, report: Report) -> Evaluation:
    """More accurate the larger its hash, and a little the more it costs."""
    share = int(hashlib.sha256(job.key.architecture_id.encode()).hexdigest()[:8], 16) / 2**32
    return Evaluation(key=job.key, accuracy=0.8 + 0.1 * share)


def run(folder: Path, space: str, sampler: str, *, trials: int, watch: Callable[[Progress], None]) -> Progress:
    """A search in a durable SQLite ledger, with Optuna's tables beside it."""
    url = f"sqlite:///{folder}/{sampler}.db"
    found = load_space(space)
    definition = StudyDefinition(
        space=found, budget=Budget.parse(BUDGETS[space]), task=found.task, data="none", fingerprint="0" * 16,
        recipe=Recipe(), sampler=sampler,
    )  # fmt: skip
    problem = definition.problem()
    with Ledger.open(url) as ledger, InProcess(instant, workers=1) as executor:
        ledger.create_study(
            StudyRecord(name="s", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00")
        )
        search = Search(
            "s", problem, ledger=ledger, limits=Limits(trials=trials),
            mirror=Mirror(url, "s", problem.domain.dimensions, problem.objectives),
        )  # fmt: skip
        return Driver(search, executor=executor, watch=watch).run("benchmark:0")


def paces(folder: Path, space: str, sampler: str, *, trials: int, every: int) -> list[Pace]:
    """The pace of each `every` trials in turn."""
    marks: list[tuple[Progress, float]] = []

    def watch(progress: Progress) -> None:
        if progress.done >= every * len(marks):
            marks.append((progress, time.process_time()))

    marks.append((run(folder, space, sampler, trials=trials, watch=watch), time.process_time()))
    return [_pace(*begin, *end) for begin, end in itertools.pairwise(marks) if end[0].done > begin[0].done]


def _pace(begin: Progress, processor_begun: float, end: Progress, processor: float) -> Pace:
    trials = end.done - begin.done
    seconds, asking = end.seconds - begin.seconds, end.asking_seconds - begin.asking_seconds
    return Pace(
        1000 * seconds / trials, 1000 * (seconds - asking) / trials, 1000 * (processor - processor_begun) / trials
    )


def plain_optuna(folder: Path, space: str, *, trials: int) -> float:
    """Milliseconds of one trial the usual way: Optuna's random sampler on its own SQLite storage."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{folder}/plain.db", directions=["maximize", "minimize"],
        sampler=optuna.samplers.RandomSampler(seed=0),
    )  # fmt: skip

    found = load_space(space)

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        found.build(asking(trial))
        return 0.5, 1.0

    begun = time.perf_counter()
    study.optimize(objective, n_trials=trials)
    return 1000 * (time.perf_counter() - begun) / trials


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(  # without TPE over modern: a fraction of a second an ask, and five of six are over budget
    ("space", "sampler"),
    [("tiny", "random"), ("tiny", "tpe"), ("tiny", "surrogate"), ("modern", "random"), ("modern", "surrogate")],
)
def test_overhead_at_a_thousand_finished_trials(space: str, sampler: str, tmp_path: Path) -> None:
    last = paces(tmp_path, space, sampler, trials=FINISHED + WINDOW, every=WINDOW)[-1]
    plain = plain_optuna(tmp_path, space, trials=WINDOW)
    print(
        f"\n{space}, {sampler} at {FINISHED} finished trials: {last.total:.1f} ms a trial ({last.processor:.1f} ms of "
        f"processor time), {last.outside:.1f} of them outside the sampler; Optuna's random sampler on its own SQLite: "
        f"{plain:.1f} ms"
    )
    assert last.outside < plain / 3


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("space", "sampler"), [("tiny", "random"), ("tiny", "tpe"), ("tiny", "surrogate"), ("modern", "random")]
)
def test_total_time_grows_at_most_linearly_to_ten_thousand_trials(space: str, sampler: str, tmp_path: Path) -> None:
    every = 500
    found = np.array([pace.processor for pace in paces(tmp_path, space, sampler, trials=10_000, every=every)])
    counts = every * np.arange(1, len(found) + 1)
    # From 1,000 on: before that models grow to their full size.
    exponent, _ = np.polyfit(np.log(counts[1:]), np.log(np.cumsum(found * every)[1:]), 1)
    print(
        f"\n{space}, {sampler}: processor ms a trial by {every}: {np.round(found, 1).tolist()}; "
        f"total ~ trials^{exponent:.2f}"
    )
    assert exponent < 1.2
