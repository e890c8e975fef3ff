"""Searches with budgets and objectives in milliseconds, measured for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas.cli.main import main
from nas.ledger import Ledger
from nas.measure.profile import load_profile
from nas.records import LatencyRecord, TrialState
from nas.search.guide import Guide, PowerGuess
from nas.search.objectives import Objectives
from tests.measure.conftest import write_profile
from tests.measure.test_session import SMALL

Capture = pytest.CaptureFixture[str]
STORAGE = "sqlite:///nas.db"
SEARCH = ("search", "--space", "tiny", "--data", "digits", "--epochs", "1", "--data-share", "0.1", "--workers", "1")


@pytest.fixture(autouse=True)
def _own_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_profile(tmp_path, "torch", "device: cpu\nthreads: 1\nclock: process")
    (tmp_path / "quick-torch.yaml").rename(tmp_path / "q.yaml")


def rows(capsys: Capture, study: str) -> Any:
    capsys.readouterr()
    assert main(["pareto", study, "--all", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_every_trained_candidate_is_measured_and_within_both_budgets(capsys: Capture) -> None:
    assert main([*SEARCH, "-b", "30MFLOPs", "-b", "1e3ms@q", "--trials", "3", "--study", "both"]) == 0
    found = rows(capsys, "both")
    assert len(found) == 3
    with Ledger.read(STORAGE) as ledger:
        measured = {one.architecture_id: one.ms for one in ledger.latencies()}
    for row in found:
        assert row["latency"] == {"q": measured[row["id"]]}
        assert row["flops"] <= 30_000_000
    assert main(["pareto", "both", "--csv"]) == 0
    assert "latency@q" in capsys.readouterr().out.splitlines()[0]
    assert main(["pareto", "both"]) == 0
    assert "ms, q" in capsys.readouterr().out


@pytest.mark.slow
def test_a_budget_that_nothing_meets_says_which_network_was_the_fastest(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.search.space_domain._HOPELESS", 3)
    assert main([*SEARCH, "-b", "30MFLOPs", "-b", "0.001ms@q", "--trials", "3", "--study", "none"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "the last 3 networks of tiny that were measured are all outside" in said
    assert "the fastest of them" in said
    with Ledger.read(STORAGE) as ledger:
        assert {one.state for one in ledger.trials("none")} == {TrialState.REJECTED}
        assert all(one.overrun["latency@q"] > 0 for one in ledger.trials("none"))


@pytest.mark.slow
def test_latency_is_an_objective_once_some_networks_were_measured(capsys: Capture) -> None:
    arguments = [*SEARCH, "-b", "30MFLOPs", "--objective", "accuracy,latency@q", "--trials", "3", "--study", "front"]
    assert main(arguments) == 2
    assert "first: nas calibrate --space tiny --profile q -n 20" in " ".join(capsys.readouterr().err.split())
    assert main(["calibrate", "--space", "tiny", "-b", "30MFLOPs", "-p", "q", "-n", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"profile", "n", "spearman", "within_5", "within_10", "coverage", "seconds"} <= found.keys()
    assert found["n"] == 20
    for name in ("flops", "flops_activations", "block_sum"):
        assert {"spearman", "within_5", "within_10", "mape"} == found[name].keys()
    assert main(arguments) == 0
    assert len(rows(capsys, "front")) == 3
    with Ledger.read(STORAGE) as ledger:
        definition = ledger.study("front").definition
    assert definition["objectives"] == "accuracy,latency@q"
    assert len(definition["guided_by"]["latency@q"]) == 20


@pytest.mark.slow
def test_killed_while_measuring_nothing_is_lost_or_done_twice() -> None:
    arguments = [*SEARCH, "-b", "30MFLOPs", "-b", "1e3ms@q", "--trials", "4", "--study", "killed"]
    for attempt in range(20):
        words = [sys.executable, "-m", "nas", *arguments] if attempt == 0 else [
            sys.executable, "-m", "nas", "search", "--resume", "--study", "killed", "--workers", "1"
        ]  # fmt: skip
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        before = _measured()
        while process.poll() is None and len(_measured()) == len(before):
            time.sleep(0.05)
        if process.poll() is None and attempt < 2:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.returncode == 0:
            break
    assert process.returncode == 0
    assert attempt == 2
    ids = _measured()
    assert len(ids) == len(set(ids)), "an architecture was measured twice"
    with Ledger.read(STORAGE) as ledger:
        assert {one.architecture_id for one in ledger.trials("killed")} == set(ids)


def _measured() -> list[str]:
    if not Path("nas.db").exists():
        return []
    try:
        with Ledger.read(STORAGE) as ledger:
            return [one.architecture_id for one in ledger.latencies()]
    except Exception:  # its tables are about to be made
        return []


def test_objectives_read_latencies() -> None:
    assert Objectives.parse("accuracy,latency@q", known=("flops",)).costs == ("latency@q",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-b", "8ms@nothing"), "unknown profile 'nothing'"),
        (("-b", "8ms"), "needs the profile it is measured by"),
        (("-b", "8ms@torch-cuda"), "no CUDA device here"),
        (("--objective", "accuracy,latency"), "as in latency@torch-cpu"),
        (("-b", "8ms@q", "--executor", "ray"), "search with --executor local"),
    ],
)
def test_wrong_input_is_one_message(capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    assert main([*SEARCH, "--trials", "1", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in " ".join(said.split())
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="its second line asks for a device that is missing")
def test_the_measuring_process_answers_lines_and_ends_with_its_input(tmp_path: Path) -> None:
    named = load_profile(str(tmp_path / "q.yaml"))
    question = {
        "name": named.name,
        "protocol": named.profile.canonical(),
        "architecture": SMALL.to_dict(),
        "task": {"resolution": 32, "classes": 10, "channels": 3},
    }
    words = [sys.executable, "-m", "nas.measure.worker", str(max(os.sched_getaffinity(0)))]
    absent = question | {"protocol": named.profile.canonical() | {"device": "cuda", "threads": None, "clock": "device"}}
    lines = "".join(json.dumps(one) + "\n" for one in (question, absent))
    done = subprocess.run(words, input=lines, capture_output=True, text=True, timeout=120, check=True)
    good, bad = map(json.loads, done.stdout.splitlines())
    record = LatencyRecord.from_dict(good["record"])
    assert record.architecture_id == SMALL.id
    assert record.key.profile == named.id
    assert record.ms is not None
    assert "no CUDA device here" in bad["error"]


def test_a_guess_follows_flops_and_activations() -> None:
    guides = [Guide(f, a, 1e-6 * f**0.5 * a**0.5) for f, a in ((1e6, 1e5), (2e6, 5e5), (3e7, 2e5), (1e7, 9e5))]
    guess = PowerGuess(guides)
    costs = {"flops": np.array([5e6]), "activations": np.array([3e5])}
    np.testing.assert_allclose(guess(costs), 1e-6 * 5e6**0.5 * 3e5**0.5, rtol=1e-6)
