from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import nas
from nas.cli.main import main
from tests.measure.conftest import write_profile

Capture = pytest.CaptureFixture[str]
CPU = "device: cpu\nthreads: 1\nclock: process\nresolution: 32"


@pytest.fixture(autouse=True)
def _own_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_profile(tmp_path, "torch", CPU)


def document(capsys: Capture, *arguments: str) -> Any:
    assert main(["latency", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: Capture, *arguments: str) -> str:
    assert main(["latency", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_rows_hold_what_is_promised_and_are_ranked(capsys: Capture) -> None:
    rows = document(capsys, "convnext_small", "van_b0", "--profile", "quick-torch")
    assert [row["name"] for row in rows] == ["van_b0", "convnext_small"]
    promised = {"name", "id", "profile", "ms", "low", "high", "p90", "runs", "spread", "stable", "device", "runtime"}
    for row in rows:
        assert promised | {"peak_memory"} <= row.keys()
        assert row["profile"] == "quick-torch"
        assert row["low"] <= row["ms"] <= row["high"]
        assert not row["known"]
    known = document(capsys, "--records", "--profile", "quick-torch", "van_b0")
    assert [(row["name"], row["ms"], row["known"]) for row in known] == [("van_b0", rows[0]["ms"], True)]
    assert main(["latency", "van_b0", "--profile", "quick-torch"]) == 0
    assert "van_b0" in capsys.readouterr().out
    assert main(["latency", "--export", "records.json"]) == 0
    assert "2 records written to records.json" in capsys.readouterr().out
    assert document(capsys, "--import", "records.json", "--storage", "sqlite:///b.db") == {"records": 2, "new": 2}


def test_profiles_are_listed_with_what_they_need(capsys: Capture) -> None:
    rows = document(capsys, "--profiles")
    assert {"torch-cpu", "torch-cuda", "onnxruntime-cpu", "openvino-cpu", "quick-torch"} <= {r["name"] for r in rows}
    for row in rows:
        assert {"name", "id", "runtime", "available"} <= row.keys()
        assert (row["missing"] is None) == row["available"]
    assert main(["latency", "--profiles"]) == 0
    assert "torch-cpu" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "what to measure, and how?"),
        (("van_b0",), "what to measure, and how?"),
        (("van_b0", "-p", "torch-cpuu"), "did you mean 'torch-cpu'?"),
        (("van_b0", "-p", "none.yaml"), "no such file"),
        (("van_b00", "-p", "quick-torch"), "van_b0"),
        (("van_b0", "-p", "quick-torch", "-r", "64"), "fixes the resolution 32"),
        (("van_b0", "-p", "quick-torch", "--family", "van"), "--family goes with the word presets"),
        (("presets", "-p", "quick-torch", "--family", "vam"), "did you mean 'van'?"),
        (("van_b0", "--profiles"), "takes no architectures"),
        (("--profiles", "--records"), "different tasks"),
        (("--records", "--fresh"), "leave --fresh"),
        (("--records",), "no ledger"),
        (("--import", "missing.json"), "cannot read missing.json"),
    ],
)
def test_wrong_input_is_one_clear_message(capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    assert message in complaint(capsys, *arguments)


def test_a_device_that_is_not_here_is_said(capsys: Capture) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert "no CUDA device here" in complaint(capsys, "van_b0", "-p", "torch-cuda")


def test_a_runtime_that_is_not_installed_names_its_extra(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from nas.measure.runtimes import OpenVino

    monkeypatch.setattr(OpenVino, "packages", ("no_such_package",))
    assert "pip install nas-convnets[openvino]" in complaint(capsys, "van_b0", "-p", "openvino-cpu")


@pytest.mark.slow
def test_the_zoo_of_a_family_has_accuracies_and_flops_beside_its_milliseconds(capsys: Capture) -> None:
    rows = document(capsys, "presets", "--family", "van", "-p", "quick-torch")
    assert {"van_b0", "van_b1", "van_b2"} <= {row["name"] for row in rows}
    assert all(row["top1"] > 70 and row["flops"] > 5e8 and row["ms"] > 0 for row in rows)
    assert [row["ms"] for row in rows] == sorted(row["ms"] for row in rows)
    assert main(["latency", "presets", "--family", "van", "-p", "quick-torch"]) == 0
    assert "top-1 (%)" in capsys.readouterr().out


@pytest.mark.slow
def test_every_network_is_measured_for_its_own_task(capsys: Capture, tmp_path: Path) -> None:
    write_profile(tmp_path, "torch", CPU.replace("\nresolution: 32", ""))
    study = nas.Study.create("mine", space="tiny", budget="5MFLOPs", storage="nas.db")
    candidate = f"mine:{study.ask().id}"
    own, preset = document(capsys, candidate, "mobilenetv4_conv_s_035", "-p", "quick-torch")
    assert {own["name"], preset["name"]} == {candidate, "mobilenetv4_conv_s_035"}
    sizes = {row["name"]: (row["resolution"], row["classes"]) for row in (own, preset)}
    assert sizes == {candidate: (32, 10), "mobilenetv4_conv_s_035": (224, 1000)}
    assert own["ties"] == preset["ties"] == []
    (smaller,) = document(capsys, candidate, "-p", "quick-torch", "-r", "16")
    assert (smaller["resolution"], smaller["classes"]) == (16, 10)
