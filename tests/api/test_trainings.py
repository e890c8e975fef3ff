"""Trainings from Python: `nas.train_network` and `nas.compare`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

import nas
from nas.cli.commands import trust as trust_command
from nas.cli.main import main
from nas.cli.workers import with_workers
from nas.errors import UserError
from nas.ledger import Ledger
from nas.records import TrialState
from nas.train.recipe import Recipe

QUICK = Recipe.from_dict({"epochs": 1, "resolution": 8, "data_share": 0.1, "batch": 32})
SMALL = """
stem: {kind: patchify, patch: 2}
stages: {depth: [1], width: [8], block: {kind: mixer_first, mixer: {kind: depthwise, kernel: 3}}}
head: pool_norm_linear
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)


def test_a_training_ends_in_a_folder_and_goes_on_from_it() -> None:
    trained = nas.train_network("small.yaml", "out", recipe=QUICK, device="cpu", quiet=True)
    assert 0 <= trained.test["accuracy"] <= 1
    assert nas.load_model("out") is not None
    assert nas.train_network("small.yaml", "out", recipe=QUICK, device="cpu", quiet=True) == trained  # not done again
    tuned = nas.train_network(start="out", folder="tuned", recipe=QUICK, device="cpu", quiet=True)
    assert tuned.id == trained.id
    with pytest.raises(UserError, match="one of them"):
        nas.train_network("small.yaml", "more", start="out")


@pytest.mark.slow
def test_a_comparison_has_a_row_an_architecture() -> None:
    rows = nas.compare(
        ["small.yaml", nas.load_architecture("small.yaml")], recipe=QUICK, seeds=2, resolution=8, classes=10,
        executor=nas.Local(workers=1, device="cpu"), quiet=True,
    )  # fmt: skip
    assert [row.label for row in rows] == ["small.yaml", nas.load_architecture("small.yaml").id]
    assert rows[0].seeds == rows[1].seeds == 2
    assert rows[0].flops == rows[1].flops


@pytest.mark.slow
def test_architectures_are_compared_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("quick.yaml").write_text("{epochs: 1, resolution: 8, data_share: 0.1, batch: 32}")
    Path("study.json").write_text(
        '{"name": "filed", "architectures": [{"architecture": "small.yaml"}], "recipe": "quick.yaml"}'
    )
    workers = ["--seeds", "1", "--workers", "1", "--device", "cpu", "--json"]
    assert main(["compare", "study.json", *workers]) == 0
    (filed,) = json.loads(capsys.readouterr().out)
    one = f"filed:{filed['id'][:8]}"
    assert main(["compare", "small.yaml", one, "--recipe", "quick.yaml", "--study", "named", *workers]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in rows] == ["small", one]
    assert {row["id"] for row in rows} == {filed["id"]}
    with Ledger.read("sqlite:///nas.db") as ledger:
        assert {trial.state for trial in ledger.trials("named")} == {TrialState.REUSED}
    assert main(["compare", "smal.yaml", "convnext_atto"]) == 2
    assert "smal.yaml" in capsys.readouterr().err


def test_what_trust_is_asked_is_what_the_command_is_asked() -> None:
    function = inspect.signature(nas.trust).parameters
    command = inspect.signature(with_workers(trust_command.run)).parameters
    theirs = {"name": "study", "quiet": "as_json"}
    assert {theirs.get(name, name) for name in function} <= set(command)
    for name in ("recipe", "reference", "architectures", "seeds", "seed"):
        assert function[name].default == command[name].default


@pytest.mark.slow
def test_a_proxy_is_judged_from_python_as_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    Path("proxy.yaml").write_text("{epochs: 2, rungs: [1], resolution: 8, data_share: 0.05, batch: 16}")
    Path("reference.yaml").write_text("{epochs: 2, resolution: 8, data_share: 0.1, batch: 16}")
    report = nas.trust(
        nas.load_space("tiny"), budget="2.5MFLOPs", recipe="proxy.yaml", reference="reference.yaml", architectures=4,
        seeds=2, executor=nas.Local(workers=1, device="cpu"), quiet=True,
    )  # fmt: skip
    assert [row.name for row in report.rows][:2] == ["rung 0", "rung 1"]
    recipes = ["--recipe", "proxy.yaml", "--reference", "reference.yaml", "-n", "4", "--seeds", "2"]
    command = ["trust", "--space", "tiny", "--budget", "2.5MFLOPs", *recipes, "--device", "cpu", "--json"]
    assert main(command) == 0  # nothing is trained again
    assert json.loads(capsys.readouterr().out)["rankings"] == report.to_dict()["rankings"]
