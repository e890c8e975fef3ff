"""Latencies predicted from the ledger: in `nas sample`, in `nas check` and in a search, on records with a known law."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nas.architecture import Architecture, Stage, estimate
from nas.cli.main import main
from nas.ledger import Ledger
from nas.measure.latencies import task_of
from nas.measure.prediction.forecast import Forecast
from nas.measure.profile import load_profile
from nas.measure.session import key_of
from nas.records import LatencyRecord, TrialState
from nas.space import load_space
from tests.measure.conftest import write_profile

Capture = pytest.CaptureFixture[str]
STORAGE = "sqlite:///nas.db"
MS_PER_MFLOP = 1e3  # far above what is measured here: who measured and who predicted can be told apart


@pytest.fixture(autouse=True)
def _measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 networks whose latency is a multiple of their FLOPs."""
    monkeypatch.chdir(tmp_path)
    write_profile(tmp_path, "torch", "device: cpu\nthreads: 1\nclock: process")
    (tmp_path / "quick-torch.yaml").rename(tmp_path / "q.yaml")
    space, named = load_space("tiny"), load_profile("q")
    key = key_of(named, task_of(named, space.task))
    networks = space.sample(40, "30MFLOPs", seed=3)
    records = [
        LatencyRecord(
            architecture_id=one.id,
            key=key,
            profile_name="q",
            protocol=named.profile.canonical(),
            measured="2026-01-01T00:00:00+00:00",
            ms=estimate(one, space.task).flops / 1e6 * MS_PER_MFLOP,
        )
        for one in networks
    ]
    with Ledger.open(STORAGE) as ledger:
        ledger.save_latencies(records, {one.id: one.to_dict() for one in networks})


def printed(capsys: Capture, *arguments: str) -> Any:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_intervals_hold_networks_that_were_not_measured_and_unlike_ones_are_not_predicted() -> None:
    space, named = load_space("tiny"), load_profile("q")
    with Ledger.open(STORAGE) as ledger:
        forecast = Forecast(named, key_of(named, space.task), space.task, ledger)
    inside = 0
    others = space.sample(30, "30MFLOPs", seed=11)
    for one in others:
        told = forecast.predict(one)
        assert told is not None
        assert told.low <= told.ms <= told.high
        inside += told.low <= estimate(one, space.task).flops / 1e6 * MS_PER_MFLOP <= told.high
    assert inside >= 24  # 90 % of 30 less three standard deviations
    assert forecast.predict(Architecture(stages=(Stage(depth=1, width=4096),))) is None


@pytest.mark.slow
def test_points_within_a_latency_are_drawn_by_prediction(capsys: Capture) -> None:
    found = printed(capsys, "sample", "--space", "tiny", "-b", "30MFLOPs", "-b", "9000ms@q", "-n", "2")
    assert len({one["id"] for one in found}) == 2
    for one in found:
        assert one["latency"]["q"]["low"] <= 9000
        assert one["flops"] / 1e6 * MS_PER_MFLOP <= 9000 * 1.5


@pytest.mark.slow
def test_what_is_drawn_by_prediction_is_shown_and_what_is_not_there_is_said(capsys: Capture) -> None:
    assert main(["sample", "--space", "tiny", "-b", "9000ms@q", "-n", "2"]) == 0
    assert "ms, q" in capsys.readouterr().out
    assert main(["sample", "--space", "tiny", "-b", "30MFLOPs", "-b", "1ms@q", "-n", "2"]) == 2
    assert "0 of 2 architectures found within the latency among 100 drawn" in " ".join(capsys.readouterr().err.split())


def test_without_measurements_the_command_that_makes_some_is_said(capsys: Capture) -> None:
    Path("nas.db").unlink()
    assert main(["sample", "--space", "tiny", "-b", "9000ms@q"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "0 networks were measured on q, too few to predict the others' latency" in said
    assert re.search(r"nas calibrate --space tiny --profile q -n 100", said)


@pytest.mark.slow
def test_check_says_what_part_is_within_a_latency(capsys: Capture) -> None:
    found = printed(capsys, "check", "--space", "tiny", "-b", "30MFLOPs", "-b", "9000ms@q")["latency"]
    assert 0 < found["within"] < found["drawn"] == 200
    assert found["smallest"]["q"] < found["median"]["q"] < found["largest"]["q"]


@pytest.mark.slow
def test_a_search_neither_measures_nor_trains_what_is_surely_too_slow(capsys: Capture) -> None:
    words = ["--space", "tiny", "--data", "digits", "--epochs", "1", "--data-share", "0.1", "--workers", "1"]
    assert main(["search", *words, "-b", "30MFLOPs", "-b", "9000ms@q", "--trials", "4", "--sampler", "random",
                 "--study", "told"]) == 0  # fmt: skip
    with Ledger.read(STORAGE) as ledger:
        trials = ledger.trials("told")
        measured = {one.architecture_id for one in ledger.latencies() if one.runs}
    told = [one for one in trials if "foretold" in one.sampler]
    assert told
    for one in told:
        low, _ = one.sampler["foretold"]["latency@q"]
        assert low > 9000
        assert one.state is TrialState.REJECTED
        assert one.overrun["latency@q"] == pytest.approx(low / 9000 - 1)
        assert one.architecture_id not in measured
    assert {one.architecture_id for one in trials if one.state is TrialState.DONE} <= measured
