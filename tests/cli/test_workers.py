"""Who trains, as a command line says it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nas.cli.main import main
from nas.cli.workers import WorkerOptions, as_options
from nas.errors import UserError
from nas.executors.ray_needs import Needs
from nas.executors.settings import ExecutorSettings


def settings(executor: str = "ray", measure_on: str | None = None, **said: Any) -> ExecutorSettings:
    return WorkerOptions(executor=executor, **said).settings(measure_on=measure_on)


def test_ray_takes_what_it_is_told() -> None:
    made = settings(workers=7, ray_address="auto", cpus_per_worker=2, gpus_per_worker=0.25, resource=["site=1"])
    needs = Needs(cpus=2, gpus=0.25, resources={"site": 1})
    assert made == ExecutorSettings(kind="ray", workers=7, device="cuda", address="auto", needs=needs)


def test_ray_without_a_word_is_as_wide_as_there_is_room_and_trains_on_processors() -> None:
    assert settings() == ExecutorSettings(kind="ray", workers=None, device="cpu", needs=Needs(cpus=1))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"executor": "local", "gpus_per_worker": 0.0}, "--gpus-per-worker: only workers on Ray"),
        ({"executor": "local", "resource": ["a=1"], "ray_address": "auto"}, "--ray-address, --resource: only workers"),
        ({"device": "cuda"}, "that is cpu with --gpus-per-worker 0"),
        ({"device": "cpu", "gpus_per_worker": 0.5}, "that is cuda with --gpus-per-worker 0.5"),
        ({"gpus_per_worker": 1.5}, "a fraction of one or a whole number"),
        ({"cpus_per_worker": 0.0}, "more than nothing"),
        ({"cpus_per_worker": float("nan")}, "more than nothing"),
        ({"resource": ["site"]}, "write NAME=AMOUNT"),
        ({"resource": ["site=many"]}, "write NAME=AMOUNT"),
        ({"resource": ["site=nan"]}, "write NAME=AMOUNT"),
        ({"resource": ["GPU=1"]}, "--gpus-per-worker"),
        ({"resource": ["a=1", "a=2"]}, "given twice"),
        ({"executor": "local", "measure_on": "device:jetson"}, "--measure-on: only workers"),
        ({"measure_on": "device:jetson"}, "name the cluster that has it by --ray-address"),
        ({"ray_address": "ray://head"}, "no address of a Ray cluster"),
        ({"ray_address": "127.0.0.1:1"}, "nobody answers at 127.0.0.1:1"),
        ({"executor": "rya"}, "did you mean 'ray'"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        settings(**said)


@pytest.mark.parametrize(
    "made",
    [
        ExecutorSettings(kind="ray", workers=None),
        ExecutorSettings(kind="ray", workers=None, hang_seconds=600.0),
        ExecutorSettings(kind="ray", workers=None, address="auto", measure_on="device:jetson"),
        ExecutorSettings(
            kind="ray", workers=3, device="cuda", address="auto", needs=Needs(cpus=0.5, gpus=2, resources={"a b": 1.5})
        ),
    ],
)
def test_a_command_to_go_on_says_the_same(made: ExecutorSettings) -> None:
    words = as_options(made)
    pairs = list(zip(words[::2], words[1::2], strict=True))
    said: dict[str, Any] = {option.removeprefix("--").replace("-", "_"): value for option, value in pairs}
    said["resource"] = [value for option, value in pairs if option == "--resource"]
    numbers = {name: float(value) for name, value in said.items() if name.endswith("_per_worker")}
    workers = int(said["workers"]) if "workers" in said else None
    assert settings(**{**said, **numbers, "workers": workers}) == made


def test_a_dry_run_refuses_as_well_and_says_who_would_train(
    capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    search = ["search", "--space", "tiny", "--budget", "30MFLOPs", "--dry-run", "--json"]
    assert main([*search, "--cpus-per-worker", "2"]) == 2
    assert "add --executor ray" in capsys.readouterr().err
    assert main([*search, "--executor", "ray", "--gpus-per-worker", "0.5"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["executor"], document["workers"]) == ("ray", None)
    assert "each with 1 CPU + 0.5 GPU" in captured.err


@pytest.mark.parametrize("command", [["compare", "roadmap.yaml"], ["trust", "--space", "tiny", "--dry-run"]])
def test_commands_that_train_several_networks_say_the_same(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--ray-address", "auto"]) == 2
    assert "--ray-address: only workers on Ray" in capsys.readouterr().err
