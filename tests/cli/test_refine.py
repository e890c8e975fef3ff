"""`nas refine`, end to end: real trainings, a real ledger, recipes that `nas train` reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from answers import Capture, document
from interruption_run import workers_of

from nas.cli.main import main
from nas.cli.output import console
from nas.cli.tables import refine_table
from nas.errors import NasError
from nas.ledger import Ledger
from nas.records import Evaluation, TrialState
from nas.report.refine import RefinedRow
from nas.train.recipe import load_recipe

SMALL = ["search", "--space", "tiny", "--budget", "2.5MFLOPs", "--epochs", "1", "--data-share", "0.1"]
REFINE = ["refine", "--top", "1", "--trials", "4", "--epochs", "2", "--rungs", "1", "--workers", "1"]
STUDY = "small"
PATIENCE = 90.0  # seconds; only a defect takes this long


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished small search."""
    folder = tmp_path_factory.mktemp("searched")
    command = [sys.executable, "-m", "nas", *SMALL, "--trials", "2", "--sampler", "random", "--study", STUDY, "--json"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return folder


@pytest.fixture
def _inside(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(searched)


@pytest.mark.slow
@pytest.mark.usefixtures("_inside")
def test_dry_run_says_what_would_run_and_begins_nothing(capsys: Capture) -> None:
    plan = document(capsys, *REFINE, "--dry-run")
    assert plan["study"].startswith(f"{STUDY}-refined-")
    (recipes,) = plan["recipes"].values()
    assert len(recipes) == 4
    assert recipes[0] == plan["definition"]["recipe"]
    assert (recipes[0]["epochs"], recipes[0]["data_share"]) == (2, 0.1)
    assert [rung["epochs"] for rung in recipes[0]["rungs"]] == [1]
    more = document(capsys, *REFINE, "--trials", "6", "--dry-run")
    assert next(iter(more["recipes"].values()))[:4] == recipes
    assert more["study"] == plan["study"]
    assert document(capsys, *REFINE, "--seed", "1", "--dry-run")["study"] != plan["study"]
    identity = next(iter(plan["recipes"]))
    named = document(capsys, "refine", STUDY, "--id", identity[:6], "--epochs", "9", "--dry-run")
    assert list(named["recipes"]) == [identity]
    assert [rung["epochs"] for rung in named["definition"]["recipe"]["rungs"]] == [1, 3]
    with Ledger.read("sqlite:///nas.db") as ledger:
        assert [study.name for study in ledger.studies()] == [STUDY]


@pytest.mark.slow
@pytest.mark.usefixtures("_inside")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "unknown study 'nothing'"),
        (["--top", "9"], "--top 9: the front of study 'small' has"),
        (["--top", "1", "--id", "ab"], "--top and --id are two answers"),
        (["--id", "zz"], "no architecture of study 'small' begins with 'zz'"),
        (["--trials", "1"], "--trials"),
        (["--recipe", "convnext_300"], "did you mean 'convnext_300e'"),
        (["--rungs", "one"], "--rungs one: write numbers of epochs"),
        (["--rungs", "3"], "growing numbers of epochs"),
        (["--data", "folder:missing"], "missing"),
        (["--executor", "ray", "--gpus-per-worker", "1.5"], "a fraction of one or a whole number"),
        (["--ray-address", "head"], "add --executor ray"),
        (["--executor", "ray", "--ray-address", "head"], "write 'auto' or 'host:port'"),
        (["--storage", "sqlite:///other.db"], "no ledger at ./other.db"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_gets_one_clear_message(arguments: list[str], says: str, capsys: Capture) -> None:
    assert main(["refine", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in " ".join(captured.err.replace("│", " ").split())


def test_the_table_shows_unchanged_best_and_difference() -> None:
    row = RefinedRow(
        id="0123456789ab", flops=2_000_000, params=1, unchanged=0.8, best=0.825, draw=3, recipe="r",
        changes={
            "learning_rate": (0.001, 0.002),
            "rand_augment": ({"magnitude": 9, "count": 2}, {"magnitude": 5, "count": 2}),
        },
        finished=4, stopped={0: 8, 1: 3}, failed=1,
    )  # fmt: skip
    same = RefinedRow(
        id="ba9876543210", flops=3_000_000, params=1, unchanged=None, best=None, draw=0, recipe="r", changes={},
        finished=0, stopped={}, failed=16,
    )  # fmt: skip
    out = console()
    with out.capture() as captured:
        out.print(refine_table([row, same], "small: recipes refined"))
    text = " ".join(captured.get().split())
    assert "0123456789ab 2M 80.0% 82.5% +2.5% 4 11 1 learning_rate 0.001 > 0.002" in text
    assert "rand_augment.magnitude 9 > 5" in text
    assert "ba9876543210 3M 0 0 16 none" in text


# Real ones.


def trials_of(folder: Path, study: str) -> list[tuple[int, TrialState, Any]]:
    with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
        return [(one.number, one.state, outcome(one.evaluation)) for one in ledger.trials(study)]


def outcome(evaluation: Evaluation | None) -> Any:
    """What does not depend on when and where it was done."""
    assert evaluation is not None
    return evaluation.key, evaluation.accuracy, evaluation.loss, evaluation.curve


def refined(folder: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "nas", *REFINE, *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, start_new_session=True)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_refining_improves_nothing_unseen_and_trains_nothing_twice(searched: Path, capsys: Capture) -> None:
    found = refined(searched, "-o", "recipes")
    study, (row,) = found["study"], found["architectures"]
    trials = trials_of(searched, study)
    assert row["finished"] + sum(row["stopped"].values()) == len(trials) == 4
    assert trials[0][1] is TrialState.DONE
    finals = [result[1] for _, state, result in trials if state is TrialState.DONE]
    assert (row["unchanged"], row["best"]) == (finals[0], max(finals))
    assert row["gain"] == pytest.approx(max(finals) - finals[0])
    assert "optimistic" in found["note"]
    stopped = [result[0].rung for _, state, result in trials if state is TrialState.STOPPED]
    assert stopped == [0] * sum(row["stopped"].values())
    assert load_recipe(searched / row["file"]).id == row["recipe"]
    assert not list(searched.rglob("*.ckpt"))

    again = refined(searched)
    assert [one["best"] for one in again["architectures"]] == [row["best"]]
    assert trials_of(searched, study) == trials
    with Ledger.read(f"sqlite:///{searched}/nas.db") as ledger:
        kept = ledger.trials(study)
        assert [trial.attempts for trial in kept] == [
            1 + trial.evaluation.key.rung for trial in kept if trial.evaluation
        ]
    command = [*row["train"].replace("--seeds 3", "--epochs 1").split()[1:], "--json"]
    done = subprocess.run([sys.executable, "-m", "nas", *command], cwd=searched, capture_output=True, check=True)
    assert len(json.loads(done.stdout)["curve"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_interrupted_and_continued_is_as_uninterrupted(searched: Path, tmp_path: Path, how: signal.Signals) -> None:
    whole = refined(searched)["study"]
    (tmp_path / "nas.db").write_bytes(_database(searched, tmp_path))
    command = [sys.executable, "-m", "nas", *REFINE]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as driver:
        _wait_for_an_evaluation(tmp_path, whole, driver)
        driver.send_signal(how)
        said = driver.communicate()[1]
    assert driver.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 130)
    assert how is signal.SIGKILL or "Give the same command again to go on" in said
    refined(tmp_path)
    assert trials_of(tmp_path, whole) == trials_of(searched, whole)


@pytest.mark.ray
@pytest.mark.slow
def test_workers_on_ray_give_what_workers_here_give(searched: Path, tmp_path: Path) -> None:
    whole = refined(searched)["study"]
    (tmp_path / "nas.db").write_bytes(_database(searched, tmp_path))
    refined(tmp_path, "--executor", "ray", "--cpus-per-worker", "0.5")
    assert trials_of(tmp_path, whole) == trials_of(searched, whole)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["local", pytest.param("ray", marks=pytest.mark.ray)])
def test_a_worker_that_is_stopped_is_replaced_and_changes_nothing(where: str, searched: Path, tmp_path: Path) -> None:
    whole = refined(searched)["study"]
    (tmp_path / "nas.db").write_bytes(_database(searched, tmp_path))
    options = ["--executor", "ray", "--cpus-per-worker", "0.5"] if where == "ray" else []
    command = [sys.executable, "-m", "nas", *REFINE, *options, "--hang-time", "10s"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True) as driver:
        _wait_for_an_evaluation(tmp_path, whole, driver)
        (worker,) = workers_of(driver.pid) if where == "local" else _actors_of(driver.pid)
        worker.suspend()
        _, alive = psutil.wait_procs([worker], timeout=PATIENCE)
        assert alive == []
        said = driver.communicate()[1]
    assert driver.returncode == 0, said
    assert trials_of(tmp_path, whole) == trials_of(searched, whole)
    assert ("What Ray had to say is in" in said) == (where == "ray")


def _actors_of(driver: int) -> list[psutil.Process]:
    """The workers of a driver with a Ray of its own."""
    return [one for one in psutil.Process(driver).children(recursive=True) if one.name().startswith("ray::CoreActor")]


def _database(searched: Path, folder: Path) -> bytes:
    """The ledger of a folder as it was before anything was refined."""
    import sqlite3

    copy = folder / "copy.db"
    with sqlite3.connect(searched / "nas.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
        for table in ("nas_trials", "nas_evaluations", "nas_leases"):
            target.execute(f"DELETE FROM {table} WHERE study != ?", [STUDY])
        target.execute("DELETE FROM nas_studies WHERE name != ?", [STUDY])
    source.close()
    target.close()
    return copy.read_bytes()


def trials_so_far(folder: Path, study: str) -> list[Any]:
    with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
        return [one.key for one in ledger.evaluations(study)]


def _wait_for_an_evaluation(folder: Path, study: str, driver: subprocess.Popen[str]) -> None:
    while driver.poll() is None:
        time.sleep(0.05)
        try:
            if trials_so_far(folder, study):
                return
        except NasError:
            continue  # the study is not there yet
    raise AssertionError("the refinement ended before it could be interrupted")
