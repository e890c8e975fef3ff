"""Every option of `nas search` changes something: what is searched, who trains, what is kept where, or what is said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_tree import Parameter, parameters
from PIL import Image

from nas.cli.main import main
from nas.schema.packaged import SPACES, packaged
from nas.search.driver import StudyStopped

Capture = pytest.CaptureFixture[str]

BASE = ["--space", "tiny", "--budget", "30MFLOPs"]
ON_RAY = [*BASE, "--executor", "ray"]
VALUES: dict[str, tuple[list[str], list[str]]] = {
    "place": (BASE, ["other.yaml", "--budget", "30MFLOPs"]),
    "--space": (BASE, ["--space", "other.yaml", "--budget", "30MFLOPs"]),
    "--budget": (BASE, [*BASE, "--budget", "1Mparams"]),
    "--data": (BASE, [*BASE, "--data", "folder:images"]),
    "--objective": (BASE, [*BASE, "--objective", "accuracy,params"]),
    "--trials": (BASE, [*BASE, "--trials", "5"]),
    "--time": (BASE, [*BASE, "--time", "1h"]),
    "--train-time": (BASE, [*BASE, "--train-time", "1h"]),
    "--patience": (BASE, [*BASE, "--patience", "7"]),
    "--workers": (BASE, [*BASE, "--workers", "7"]),
    "--sampler": (BASE, [*BASE, "--sampler", "random"]),
    "--control": (BASE, [*BASE, "--control", "0.5"]),
    "--start": (BASE, [*BASE, "--start", "mine"]),
    "--seed": (BASE, [*BASE, "--seed", "5"]),
    "--study": (BASE, [*BASE, "--study", "another"]),
    "--resume": (["--study", "mine"], ["--study", "mine", "--resume"]),
    "--recipe": (BASE, [*BASE, "--recipe", "proxy_fast"]),
    "--rungs": (BASE, [*BASE, "--rungs", "1,2", "--epochs", "9"]),
    "--epochs": (BASE, [*BASE, "--epochs", "11"]),
    "--data-share": (BASE, [*BASE, "--data-share", "0.5"]),
    "--evaluate": (BASE, [*BASE, "--evaluate", "own.py:score"]),
    "--resolution": (BASE, [*BASE, "--resolution", "64"]),
    "--classes": (BASE, [*BASE, "--classes", "3"]),
    "--executor": (BASE, ON_RAY),
    "--ray-address": (ON_RAY, [*ON_RAY, "--ray-address", "127.0.0.1:1"]),
    "--cpus-per-worker": (ON_RAY, [*ON_RAY, "--cpus-per-worker", "2"]),
    "--gpus-per-worker": (ON_RAY, [*ON_RAY, "--gpus-per-worker", "0.5"]),
    "--resource": (ON_RAY, [*ON_RAY, "--resource", "site=1"]),
    "--measure-on": (ON_RAY, [*ON_RAY, "--measure-on", "device:jetson"]),
    "--hang-time": (BASE, [*BASE, "--hang-time", "5min"]),
    "--device": (BASE, [*BASE, "--device", "gpu"]),
    "--checkpoints": (BASE, [*BASE, "--checkpoints", "kept"]),
    "--storage": (BASE, [*BASE, "--storage", "other.db"]),
    "--metrics": (BASE, [*BASE, "--metrics", "0"]),
    "--tensorboard": (BASE, [*BASE, "--tensorboard", "curves"]),
    "--wandb": (BASE, [*BASE, "--wandb", "curves"]),
    "--mlflow": (BASE, [*BASE, "--mlflow", "curves"]),
    "--dry-run": (BASE, [*BASE, "--dry-run"]),
    "--json": ([*BASE, "--dry-run"], [*BASE, "--dry-run", "--json"]),
    "--plugin": (BASE, [*BASE, "--plugin", "own_part.py"]),
}
"""For each parameter a command line, and the same with the parameter said otherwise."""

OPTIONS = [one for one in parameters() if one.command == ("search",)]
PART = """
from dataclasses import dataclass
from torch import nn
from nas.layers.base import Activation, activations

@activations.register("own")
@dataclass(frozen=True, kw_only=True)
class Own(Activation):
    def build(self, site):
        return nn.ReLU()
"""
OWN = "def score(architecture, *, job, report):\n    return 0.5\n"


@pytest.fixture
def runs(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What would have been run; nothing is trained."""
    seen: list[Any] = []

    def noted(plan: Any, ledger: Any, *, storage: str, settings: Any, checkpoints: str, **rest: Any) -> None:
        definition = plan.definition.to_dict()
        others = {name: value for name, value in rest.items() if name not in ("watch", "listen", "say")}
        about = (plan.name, plan.is_new, definition, plan.limits, plan.code)
        seen.append((*about, storage, settings, checkpoints, others))
        raise StudyStopped("as far as this goes")

    monkeypatch.setattr("nas.search.launch.run_plan", noted)
    shutil.copy(whole, tmp_path / "nas.db")
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "other.yaml").write_text((packaged(SPACES) / "tiny.yaml").read_text().replace("[2, 4]", "[2, 3]"))
    for part in ("train", "val", "test"):
        for name in ("cat", "dog"):
            (tmp_path / "images" / part / name).mkdir(parents=True)
            for index in range(4):
                Image.new("L", (8, 8), index).save(tmp_path / "images" / part / name / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    return seen


def observed(words: list[str], runs: list[Any], capsys: Capture) -> list[str]:
    """How a command line ends, what it says and what it would run."""
    runs.clear()
    capsys.readouterr()
    code = main(["search", *words])
    said = capsys.readouterr()
    return [str(code), said.out, said.err, *map(repr, runs)]


def test_every_parameter_has_a_value() -> None:
    assert {one.option or one.name for one in OPTIONS} == VALUES.keys()


QUICK = ("--budget", "--trials", "--sampler", "--seed")


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(one, marks=[pytest.mark.slow] * (one.option not in QUICK))
        for one in OPTIONS
        if one.option != "--plugin"
    ],
    ids=str,
)
def test_an_option_changes_something(option: Parameter, runs: list[Any], capsys: Capture) -> None:
    without, said = VALUES[option.option or option.name]
    assert observed(without, runs, capsys) == observed(without, runs, capsys)
    assert observed(without, runs, capsys) != observed(said, runs, capsys)


@pytest.mark.slow
def test_a_plugin_is_written_down_with_the_study(tmp_path: Path) -> None:
    (tmp_path / "own_part.py").write_text(PART)
    done = [
        subprocess.run(
            [sys.executable, "-m", "nas", "search", *words, "--dry-run", "--json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for words in VALUES["--plugin"]
    ]
    assert ["own_part" in one for one in done] == [False, True]
