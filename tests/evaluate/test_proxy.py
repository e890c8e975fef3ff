from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from nas.architecture import Architecture, Stage
from nas.data import fingerprint
from nas.evaluate.proxy import evaluate
from nas.records import Evaluation, EvaluationKey, Failure, Job
from nas.train import Recipe

ARCHITECTURE = Architecture(stages=(Stage(depth=1, width=8), Stage(depth=1, width=16)))
RECIPE = Recipe(resolution=16, epochs=1, batch=32, data_share=0.2)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def job(cache: Path) -> Job:
    key = EvaluationKey(architecture=ARCHITECTURE.id, recipe=RECIPE.id, data=fingerprint("digits", cache=cache), seed=4)
    return Job(id="1", key=key, architecture=ARCHITECTURE.to_dict(), recipe=RECIPE.to_dict(), data="digits")


def with_recipe(job: Job, **changes: Any) -> Job:
    return replace(job, recipe={**job.recipe, **changes})


def silent(share: float) -> None:
    pass


def test_a_job_becomes_an_evaluation(job: Job, cache: Path) -> None:
    shares: list[float] = []
    found = evaluate(job, report=shares.append, cache=cache)
    assert found.succeeded, found.traceback
    assert found.key == job.key
    assert found.accuracy is not None
    assert 0 <= found.accuracy <= 1
    assert found.loss is not None
    assert found.loss > 0
    assert len(found.curve) == 1
    assert found.images == 6 * 32
    assert found.seconds >= found.train_seconds > 0
    assert found.peak_memory > 10_000_000
    assert found.worker.endswith(f":{os.getpid()}")
    assert shares[-1] == 1.0
    assert Evaluation.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_job_done_twice_gives_the_same(job: Job, cache: Path) -> None:
    first, second = (evaluate(job, report=silent, cache=cache) for _ in range(2))
    assert (first.curve, first.accuracy, first.loss) == (second.curve, second.accuracy, second.loss)


def test_weights_are_kept_where_asked(job: Job, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "weights.safetensors"
    found = evaluate(replace(job, weights=str(path)), report=silent, cache=cache)
    assert found.weights == str(path)
    assert all(torch.isfinite(tensor).all() for tensor in load_file(path).values())
    assert [file.name for file in path.parent.iterdir()] == ["weights.safetensors"]


def failure_of(job: Job, cache: Path) -> Evaluation:
    found = evaluate(job, report=silent, cache=cache)
    assert not found.succeeded
    assert found.accuracy is None
    assert found.message
    assert "Traceback" in found.traceback
    assert found.key == job.key
    return found


def test_divergence_is_typed(job: Job, cache: Path) -> None:
    found = failure_of(with_recipe(job, learning_rate=1e30, gradient_clip=None), cache)
    assert found.failure is Failure.DIVERGED
    assert "at step" in found.message


def test_missing_data_is_typed(job: Job, cache: Path, tmp_path: Path) -> None:
    key = replace(job.key, data="of the missing folder")
    found = failure_of(replace(job, key=key, data=f"folder:{tmp_path / 'nowhere'}"), cache)
    assert found.failure is Failure.DATA
    assert "nowhere" in found.message


def test_changed_data_is_refused(job: Job, cache: Path) -> None:
    found = failure_of(replace(job, key=replace(job.key, data="0123456789abcdef")), cache)
    assert found.failure is Failure.DATA
    assert "0123456789abcdef" in found.message


def test_running_out_of_memory_is_typed(job: Job, cache: Path) -> None:
    wide = Architecture(stages=(Stage(depth=1, width=2**22),)).to_dict()
    assert failure_of(replace(job, architecture=wide), cache).failure is Failure.OUT_OF_MEMORY


@pytest.mark.parametrize(
    "change",
    [{"architecture": {"stages": "nonsense"}}, {"architecture": {}}, {"recipe": {"epochs": 0}}],
    ids=["stages", "no stages", "recipe"],
)
def test_anything_else_is_a_bug_with_a_traceback(job: Job, cache: Path, change: dict[str, Any]) -> None:
    assert failure_of(replace(job, **change), cache).failure is Failure.BUG


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_comes_out(job: Job, cache: Path, signal: type[BaseException]) -> None:
    def interrupt(share: float) -> None:
        raise signal

    with pytest.raises(signal):
        evaluate(job, report=interrupt, cache=cache)


@pytest.mark.gpu
def test_a_job_runs_on_an_accelerator(job: Job, cache: Path) -> None:
    found = evaluate(job, report=silent, cache=cache, device="cuda")
    assert found.succeeded, found.traceback
    assert 0 < found.peak_memory < 2**30
