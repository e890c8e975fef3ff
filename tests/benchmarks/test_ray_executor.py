"""What a trial costs beyond its training and its sampler: our workers on Ray, against Ray Tune."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from ray_works import no_op, no_op_trainable

import nas
from nas.executors import RayExecutor
from nas.records import EvaluationKey, Job

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


def job(number: int, x: float) -> Job:
    key = EvaluationKey(architecture=str(number), recipe="r", data="d", seed=0)
    return Job(id=str(number), key=key, architecture={"x": x}, recipe={}, data="none")


def ours() -> list[float]:
    """When each of the trials ended, on the clock: asked of Optuna, done by a worker, told to Optuna."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    asked: dict[str, optuna.Trial] = {}
    ended: list[float] = []
    with RayExecutor(no_op, workers=_WORKERS) as executor:
        while len(ended) < _TRIALS:
            while executor.capacity and len(asked) < _TRIALS:
                trial = study.ask()
                asked[str(trial.number)] = trial
                executor.submit(job(trial.number, trial.suggest_float("x", 0.0, 1.0)))
            for finished in executor.completed(60.0):
                assert finished.evaluation.succeeded
                study.tell(asked[finished.job_id], finished.evaluation.accuracy)
                ended.append(time.perf_counter())
    assert len(study.trials) == _TRIALS
    return ended


def tunes(folder: Path) -> list[float]:
    """The same with Tune: actors used again, results in its own files, which it needs."""
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
    mine, theirs = typical(ours()), typical(tunes(tmp_path))
    with capsys.disabled():
        print(f"\n{_TRIALS} no-op trials: {mine:.1f} ms each, Ray Tune's {theirs:.1f} ms ({theirs / mine:.0f} times)")
    assert theirs > 10 * mine
