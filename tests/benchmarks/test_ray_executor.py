"""What a trial costs beyond its training: a search on Ray with its durable ledger, against Ray Tune with Optuna."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from ray_works import no_op, no_op_trainable

import nas
from nas.cost import Budget
from nas.executors import RayExecutor
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord, TrialState
from nas.search.definition import StudyDefinition
from nas.search.driver import Driver
from nas.search.optuna.mirror import Mirror
from nas.search.pulse import Progress
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.space import load_space
from nas.train import Recipe

_TRIALS = 200
_WORKERS = 2


@pytest.fixture
def ray_here() -> Iterator[None]:
    """A Ray whose workers can import this folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(nas.__file__).parents[1]), str(Path(__file__).parent)]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        ray.init(
            address="local", num_cpus=_WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
        )
        yield
        ray.shutdown()


def ours(folder: Path) -> list[float]:
    """When each of the trials ended, on the clock: a search as it is, with its SQLite ledger and Optuna's tables."""
    space = load_space("tiny")
    definition = StudyDefinition(
        space=space, budget=Budget(), task=space.task, data="none", fingerprint="0" * 16, recipe=Recipe(),
        sampler="random",
    )  # fmt: skip
    url, problem = f"sqlite:///{folder}/nas.db", definition.problem()
    ended: list[float] = []

    def watch(progress: Progress) -> None:
        ended.extend([time.perf_counter()] * (progress.trained - len(ended)))

    with Ledger.open(url) as ledger, RayExecutor(no_op, workers=_WORKERS) as executor:
        ledger.create_study(
            StudyRecord(name="s", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00")
        )
        search = Search(
            "s", problem, ledger=ledger, limits=Limits(trials=_TRIALS),
            mirror=Mirror(url, "s", problem.domain.dimensions, problem.objectives),
        )  # fmt: skip
        Driver(search, executor=executor, watch=watch).run("benchmark:0")
        assert sum(trial.state is TrialState.DONE for trial in ledger.trials("s")) == _TRIALS
    assert len(ended) == _TRIALS
    return ended


def tunes(folder: Path) -> list[float]:
    """The same number with Tune: random as well, actors used again, results in its own files, which it needs."""
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    ended: list[float] = []

    class Clock(tune.Callback):
        def on_trial_complete(self, *_: object, **__: object) -> None:
            ended.append(time.perf_counter())

    tuner = tune.Tuner(
        no_op_trainable,
        param_space={"x": tune.uniform(0.0, 1.0)},
        tune_config=tune.TuneConfig(
            metric="accuracy",
            mode="max",
            search_alg=OptunaSearch(sampler=optuna.samplers.RandomSampler(seed=0)),
            num_samples=_TRIALS,
            max_concurrent_trials=_WORKERS,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0, callbacks=[Clock()]),
    )
    results = tuner.fit()
    assert len(results) == len(ended) == _TRIALS
    assert not results.errors
    return ended


def typical(ended: list[float]) -> float:
    """Milliseconds from one end to the next: the mean after the first tenth, in which workers start."""
    late = ended[_TRIALS // 10 :]
    return (late[-1] - late[0]) / (len(late) - 1) * 1e3


@pytest.mark.benchmark
@pytest.mark.ray
@pytest.mark.filterwarnings("default")
def test_a_trial_costs_a_tenth_of_tunes(ray_here: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    mine, theirs = typical(ours(tmp_path)), typical(tunes(tmp_path / "tune"))
    with capsys.disabled():
        print(f"\n{_TRIALS} no-op trials: {mine:.1f} ms each, Ray Tune's {theirs:.1f} ms ({theirs / mine:.0f} times)")
    assert theirs > 10 * mine
