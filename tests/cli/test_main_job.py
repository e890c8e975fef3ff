"""The main job, end to end: real images, real workers, a real ledger, an exported winner."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import chdir, redirect_stdout
from pathlib import Path

import pytest
import torch
from answers import document
from filelock import FileLock
from safetensors.torch import load_file

import nas
from nas.cli.main import main
from nas.errors import NasError
from nas.ledger import Ledger
from nas.records import TrialState

SMALL = ["--space", "tiny", "--budget", "10MFLOPs", "--epochs", "1", "--data-share", "0.1"]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A folder with a finished small search, made once for all processes that run tests."""
    shared = tmp_path_factory.getbasetemp().parent / f"searched-{testrun_uid}"
    with FileLock(f"{shared}.lock"):
        if not (shared / "printed.json").exists():
            shared.mkdir()
            with chdir(shared), (shared / "printed.json").open("w") as file, redirect_stdout(file):
                assert main(["search", *SMALL, "--trials", "3", "--workers", "1", "--study", "small", "--json"]) == 0
    own = tmp_path_factory.mktemp("searched")  # tests write into it
    return Path(shutil.copytree(shared, own, dirs_exist_ok=True))


@pytest.fixture
def _inside(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(searched)


@pytest.mark.usefixtures("_inside")
def test_search_ends_with_a_front_within_budget(capsys: pytest.CaptureFixture[str]) -> None:
    front = document(capsys, "pareto")
    first = json.loads(Path("printed.json").read_text())["front"]
    assert [{**row, "weights": ""} for row in front] == [{**row, "weights": ""} for row in first]
    assert all(Path(row["weights"]).parents[2] == Path.cwd() for row in front)  # the project has moved since
    assert front == sorted(front, key=lambda row: row["flops"])
    assert all(row["flops"] <= 10_000_000 for row in front)
    accuracies = [row["accuracy"] for row in front]
    assert accuracies == sorted(accuracies)
    assert {"id", "accuracy", "flops", "params", "rung", "seeds"} <= front[0].keys()
    (study,) = document(capsys, "studies")
    assert (study["name"], study["counts"]["done"]) == ("small", 3)


@pytest.mark.usefixtures("_inside")
def test_tables_and_csv_show_the_front(capsys: pytest.CaptureFixture[str]) -> None:
    front = document(capsys, "pareto")
    assert main(["pareto"]) == main(["studies"]) == main(["pareto", "small", "--all"]) == 0
    shown = capsys.readouterr().out
    assert all(row["id"] in shown for row in front)
    assert main(["pareto", "--csv"]) == 0
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == ["id", *(r["id"] for r in front)]


@pytest.mark.usefixtures("_inside")
def test_rows_carry_decisions_and_the_plot_has_any_axes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = document(capsys, "pareto", "--all")
    assert all(row["decisions"] for row in rows)
    assert main(["pareto", "--csv"]) == 0
    header = capsys.readouterr().out.splitlines()[0].split(",")
    assert {f"decisions.{name}" for name in rows[0]["decisions"]} <= set(header)
    best = max(rows, key=lambda row: row["accuracy"])
    assert [row["id"] for row in document(capsys, "pareto", "--top", "1")] == [best["id"]]
    page = tmp_path / "front.html"
    assert main(["pareto", "--plot", str(page), "--x", "params", "--y", "seconds"]) == 0
    assert best["id"] in page.read_text(encoding="utf-8")
    assert "parameters" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("_inside")
def test_presets_lie_over_the_plot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "front.html"
    assert main(["pareto", "small", "--presets", "--plot", str(page)]) == 0
    assert "preset" in capsys.readouterr().out
    assert page.is_file()


@pytest.mark.usefixtures("_inside")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plot", "front.pdf"], "a front can be drawn as"),
        (["--x", "speed"], "no metric 'speed'"),
        (["--x", "params", "--json"], "are of a plot"),
        (["--presets", "--csv"], "are of a plot"),
        (["small", "small-2", "--confirm", "1"], "one study"),
    ],
)
def test_plots_that_cannot_be_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(["pareto", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("_inside")
@pytest.mark.parametrize("weights", ["kept", pytest.param("lost", marks=pytest.mark.slow)])
def test_exported_winner_is_the_very_network_that_was_trained(
    capsys: pytest.CaptureFixture[str], weights: str, tmp_path: Path
) -> None:
    best = max(document(capsys, "pareto"), key=lambda row: row["accuracy"])
    trained = load_file(best["weights"])
    if weights == "lost":
        Path(best["weights"]).rename(tmp_path / "hidden")
    exported = document(capsys, "export", "--best", "-o", str(tmp_path / "winner"))
    if weights == "lost":
        (tmp_path / "hidden").rename(best["weights"])
    assert (exported["id"], exported["retrained"]) == (best["id"], weights == "lost")
    assert nas.load_architecture(tmp_path / "winner" / "architecture.yaml").id == best["id"]
    network = nas.load_model(tmp_path / "winner")
    again = nas.build(nas.load_architecture(f"{tmp_path}/winner"), classes=10, in_channels=1).eval()
    again.load_state_dict(trained)
    images = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(network(images), again(images))


@pytest.mark.usefixtures("_inside")
def test_candidates_can_be_named_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    row = document(capsys, "pareto")[0]
    (cost,) = document(capsys, "cost", f"small:{row['id'][:6]}", "--resolution", "32", "--classes", "10")
    assert (cost["id"], cost["flops"], cost["params"]) == (row["id"], row["flops"], row["params"])
    assert document(capsys, "show", f"small:{row['id']}")["id"] == row["id"]


@pytest.mark.slow
@pytest.mark.usefixtures("_inside")
def test_training_longer_ends_with_a_folder_that_loads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = document(capsys, "pareto")[0]
    trained = document(capsys, "train", f"small:{row['id']}", "--epochs", "2", "-o", str(tmp_path / "trained"))
    assert len(trained["curve"]) == 2
    assert trained["test"]["low"] <= trained["test"]["accuracy"] <= trained["test"]["high"]
    assert nas.load_model(tmp_path / "trained")(torch.zeros(1, 1, 32, 32)).shape == (1, 10)


@pytest.mark.slow
def test_interrupted_search_says_how_to_go_on_and_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nas", "search", *SMALL, "--trials", "400", "--study", "broken_off"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True) as driver:
        _wait_for_a_training(tmp_path, driver)
        said = _interrupted(driver)
    assert driver.returncode == 130
    assert "nas search --resume --study broken_off" in said
    with Ledger.read(f"sqlite:///{tmp_path}/nas.db") as ledger:
        done = len(ledger.trials("broken_off", {TrialState.DONE}))
    resumed = [*command[:4], "--resume", "--study", "broken_off", "--trials", str(done + 1)]
    subprocess.run(resumed, cwd=tmp_path, check=True, capture_output=True)
    with Ledger.read(f"sqlite:///{tmp_path}/nas.db") as ledger:
        assert len(ledger.trials("broken_off", {TrialState.DONE})) >= done + 1


def _interrupted(driver: subprocess.Popen[str]) -> str:
    """Press Ctrl-C once and return what was said."""
    os.killpg(driver.pid, signal.SIGINT)
    return driver.communicate(timeout=60)[1]


def _wait_for_a_training(folder: Path, driver: subprocess.Popen[str]) -> None:
    while driver.poll() is None:
        time.sleep(0.1)
        if not (folder / "nas.db").exists():
            continue
        try:
            with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
                if ledger.trials("broken_off", {TrialState.DONE}):
                    return
        except NasError:
            continue  # the driver is still making its tables
    raise AssertionError("the search ended before it could be interrupted")


@pytest.mark.slow
def test_a_search_whose_every_candidate_fails_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("steep.yaml").write_text("base: proxy_fast\nlearning_rate: 1.0e+200\n")
    assert (
        main(
            ["search", *SMALL, "--epochs", "4", "--rungs", "none", "--recipe", "steep.yaml", "--trials", "2", "--json"]
        )
        == 1
    )
    said = capsys.readouterr()
    assert json.loads(said.out)["search"]["failures"] == 2
    assert "every candidate of" in said.err
    assert "failed (2 diverged); the last one:" in said.err


@pytest.mark.slow
def test_a_crash_loop_ends_with_what_the_workers_last_said(tmp_path: Path) -> None:
    """Real workers, each killed by its training."""
    said, killed = "os.write(2, b'the GPU fell off\\n')", "os.kill(os.getpid(), 9)"
    (tmp_path / "deadly.py").write_text(f"import os\n\n\ndef evaluate(network, **given):\n    {said}\n    {killed}\n")
    command = ["search", "--space", "tiny", "--budget", "5MFLOPs", "--trials", "50", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "nas", *command, "--evaluate", "deadly:evaluate", "--study", "looping"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "trainings all failed (node lost, each with 3 workers" in " ".join(done.stderr.split())
    assert "the GPU fell off" in done.stderr
    assert "Traceback" not in done.stderr
    with Ledger.read(f"sqlite:///{tmp_path}/nas.db") as ledger:
        assert len(ledger.trials("looping")) < 10
