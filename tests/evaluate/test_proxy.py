from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from nas.architecture import Architecture, Stage
from nas.data import fingerprint
from nas.evaluate.proxy import evaluate
from nas.executors.channel import job_to_dict
from nas.records import Evaluation, EvaluationKey, Failure, Job
from nas.train import Recipe

ARCHITECTURE = Architecture(stages=(Stage(depth=1, width=8), Stage(depth=1, width=16)))
RECIPE = Recipe(resolution=16, epochs=1, batch=32, data_share=0.2)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def job(cache: Path) -> Job:
    key = EvaluationKey(
        architecture_id=ARCHITECTURE.id, recipe=RECIPE.id, fingerprint=fingerprint("digits", cache=cache), seed=4
    )
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
    assert found.test_accuracy is None
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


LADDER = Recipe.from_dict(
    {"resolution": 16, "epochs": 3, "batch": 32, "data_share": 0.2, "rungs": [1, 2], "ema_decay": 0.9}
)


def at_rung(job: Job, rung: int, checkpoint: Path | None) -> Job:
    key = replace(job.key, recipe=LADDER.id, rung=rung)
    place = None if checkpoint is None else str(checkpoint)
    return replace(job, key=key, recipe=LADDER.to_dict(), checkpoint=place)


def learned(evaluation: Evaluation) -> tuple[Any, ...]:
    assert evaluation.succeeded, evaluation.traceback
    return evaluation.accuracy, evaluation.loss, evaluation.curve, evaluation.images


def test_rungs_one_by_one_are_rungs_at_once(job: Job, cache: Path, tmp_path: Path) -> None:
    place = tmp_path / "checkpoints" / "one.ckpt"
    for rung in range(3):
        step_by_step = evaluate(at_rung(job, rung, place), report=silent, cache=cache)
        at_once = evaluate(at_rung(job, rung, None), report=silent, cache=cache)
        assert learned(step_by_step) == learned(at_once)
        assert len(at_once.curve) == rung + 1
        assert "restore" in step_by_step.phases
        assert "restore" not in at_once.phases


def test_a_checkpoint_beyond_the_rung_is_left_alone(job: Job, cache: Path, tmp_path: Path) -> None:
    place = tmp_path / "one.ckpt"
    evaluate(at_rung(job, 1, place), report=silent, cache=cache)
    before = place.read_bytes()
    lower = evaluate(at_rung(job, 0, place), report=silent, cache=cache)
    assert place.read_bytes() == before
    assert learned(lower) == learned(evaluate(at_rung(job, 0, None), report=silent, cache=cache))


def test_a_truncated_checkpoint_costs_time_only(job: Job, cache: Path, tmp_path: Path) -> None:
    place = tmp_path / "one.ckpt"
    evaluate(at_rung(job, 0, place), report=silent, cache=cache)
    place.write_bytes(place.read_bytes()[:-100])
    found = evaluate(at_rung(job, 1, place), report=silent, cache=cache)
    assert learned(found) == learned(evaluate(at_rung(job, 1, None), report=silent, cache=cache))


def test_a_checkpoint_that_cannot_be_written_costs_no_accuracy(job: Job, cache: Path) -> None:
    found = evaluate(at_rung(job, 0, Path("/proc/nowhere/one.ckpt")), report=silent, cache=cache)
    assert learned(found) == learned(evaluate(at_rung(job, 0, None), report=silent, cache=cache))


ONE_JOB = """
import json, os, signal, sys
from pathlib import Path
import torch
from PIL import Image
from nas.evaluate.proxy import evaluate
from nas.executors.channel import job_to_dict
from nas.executors.channel import job_from_dict

torch.set_num_threads(1)
job, cache, stop = json.loads(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
def report(share):
    if share >= stop:
        os.kill(os.getpid(), signal.SIGKILL)
found = evaluate(job_from_dict(job), report=report, cache=cache, save_every=0.0)
print(json.dumps([found.accuracy.hex(), found.loss.hex(), found.curve]))
"""


@pytest.mark.slow
def test_a_killed_worker_is_replaced_by_another_process(job: Job, cache: Path, tmp_path: Path) -> None:
    def run(wanted: Job, stop: float) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", ONE_JOB, json.dumps(job_to_dict(wanted)), str(cache), str(stop)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    place = tmp_path / "one.ckpt"
    undisturbed = run(at_rung(job, 2, None), 2.0)
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert run(at_rung(job, 2, place), 0.6).returncode == -signal.SIGKILL
    assert place.exists()
    assert run(at_rung(job, 2, place), 2.0).stdout == undisturbed.stdout


class Hungry(nn.Module):
    """Has no room for more than 20 images in training."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(16 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > 20:
            raise torch.OutOfMemoryError("out of memory")
        logits: Tensor = self.head(x.flatten(1))
        return logits


def test_a_job_says_that_it_lives_before_and_while_it_reads_images(job: Job, tmp_path: Path) -> None:
    for number in range(6):
        place = tmp_path / "images" / f"class {number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(place / f"{number}.png")
    source = f"folder:{tmp_path / 'images'}"
    shares: list[float] = []
    other = replace(job, data=source, key=replace(job.key, fingerprint=fingerprint(source, cache=tmp_path)))
    evaluate(other, report=shares.append, cache=tmp_path)
    assert shares[:3] == [0.0, 0.0, 0.0]  # it begins, reads, and is about to take its first step
    missing: list[float] = []
    assert evaluate(replace(job, data="npz:missing.npz"), report=missing.append, cache=tmp_path).failure is Failure.DATA
    assert missing == [0.0]


@pytest.mark.slow
def test_too_little_memory_is_met_with_half_the_batch(job: Job, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.evaluate.proxy.make_model", lambda *given, **named: Hungry())
    found = evaluate(job, report=silent, cache=cache)
    assert found.succeeded, found.traceback
    assert found.micro_batch == 16
    assert "failed attempt" in found.phases
    assert failure_of(with_recipe(job, batch=64), cache).failure is Failure.OUT_OF_MEMORY


def test_a_rung_too_large_for_the_memory_goes_on_with_half_the_batch(
    job: Job, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rung before fitted; its checkpoint does not undo the halving."""
    limit = 100

    class Growing(Hungry):
        def forward(self, x: Tensor) -> Tensor:
            if self.training and len(x) > limit:
                raise torch.OutOfMemoryError("out of memory")
            logits: Tensor = self.head(x.flatten(1))
            return logits

    monkeypatch.setattr("nas.evaluate.proxy.make_model", lambda *given, **named: Growing())
    place = tmp_path / "one.ckpt"
    assert evaluate(at_rung(job, 0, place), report=silent, cache=cache).micro_batch is None
    limit = 20
    found = evaluate(at_rung(job, 1, place), report=silent, cache=cache)
    assert found.succeeded, found.traceback
    assert found.micro_batch == 16
    assert found.phases["restore"] > 0


def test_what_a_job_took_is_told(job: Job, cache: Path) -> None:
    found = evaluate(job, report=silent, cache=cache)
    assert {"data", "build", "train", "validate"} <= set(found.phases)
    assert sum(found.phases.values()) <= found.seconds
    assert found.images_per_second is not None
    assert found.images_per_second > 0
    assert found.micro_batch is None


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
    key = replace(job.key, fingerprint="of the missing folder")
    found = failure_of(replace(job, key=key, data=f"folder:{tmp_path / 'nowhere'}"), cache)
    assert found.failure is Failure.DATA
    assert "nowhere" in found.message


def test_changed_data_is_refused(job: Job, cache: Path) -> None:
    found = failure_of(replace(job, key=replace(job.key, fingerprint="0123456789abcdef")), cache)
    assert found.failure is Failure.DATA
    assert "have changed since they were trained on" in found.message


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
