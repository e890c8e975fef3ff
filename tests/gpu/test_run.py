"""The script for accelerators, tried in small on a CPU, so that it works on the day there is one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "run.py"
PATIENCE = ("--patience", "20")
"""Parts are limited in seconds of a machine that has nothing else to do, which tests cannot ask for."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def parts_of(folder: Path, *options: str) -> dict[str, Any]:
    """What the script measures on a CPU, by part."""
    command = [sys.executable, str(SCRIPT), "-o", str(folder), "--device", "cpu", "--quick", *PATIENCE, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    parts: dict[str, Any] = json.loads((folder / "results.json").read_text())["parts"]
    return parts


def test_it_runs_in_small_on_a_cpu(tmp_path: Path) -> None:
    parts = parts_of(tmp_path)
    assert {name: part["status"] for name, part in parts.items()} == {
        "tests": "skipped", "search": "done", "throughput": "done", "sharing": "done", "memory": "skipped",
        "depthwise": "done", "compile": "skipped",
    }  # fmt: skip
    (search,) = parts["search"]["rows"]
    assert (search["trained twice"], search["workers killed"]) == (0, 1)
    assert (tmp_path / "results.md").read_text().startswith("# On an accelerator")


def test_the_promise_runs_in_small_on_a_cpu(tmp_path: Path) -> None:
    (part,) = parts_of(tmp_path, "--promise").values()
    assert len(part["rows"]) == 3
    assert {row["seeds"] for row in part["rows"]} == {2}
    assert all(1.9 <= row["MFLOPs"] <= 2.1 for row in part["rows"])


def test_latencies_are_measured_in_small_on_a_cpu(tmp_path: Path) -> None:
    (part,) = parts_of(tmp_path, "--latency").values()
    said = [row["network"] for row in part["rows"]]
    assert {"van_b0", "resnet50"} < set(said)
    assert any(one.startswith("repeatability: Spearman") for one in said)
    assert any(one.startswith("prediction") for one in said)


def test_an_absent_accelerator_is_named(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "-o", str(tmp_path), "--only", "depthwise", *PATIENCE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 1
    assert "no accelerator here" in json.loads((tmp_path / "results.json").read_text())["parts"]["depthwise"]["why"]
