"""`nas search --executor ray` as a user has it: a Ray of this machine, and the same results as without."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nas
from nas.ledger import Ledger

SEARCH = ["--space", "tiny", "--budget", "5MFLOPs", "--epochs", "2", "--rungs", "1", "--data-share", "0.1"]


def searched(folder: Path, *options: str) -> tuple[Any, str]:
    """The document that a search prints, and what it says beside."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "nas", "search", *SEARCH, "--trials", "6", "--workers", "1", "--json", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(nas.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def essence(folder: Path) -> list[tuple[Any, ...]]:
    """All that must not depend on who trains."""
    with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
        trials = ledger.trials(ledger.latest_study())
    kept = [(one, one.evaluation) for one in trials]
    return [
        (one.number, one.architecture_id, one.state, found and (found.key, found.accuracy, found.loss, found.curve))
        for one, found in kept
    ]


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(900)
@pytest.mark.parametrize("sampler", ["surrogate", "tpe"])
def test_ray_finds_what_local_processes_find_and_keeps_its_peace(sampler: str, tmp_path: Path) -> None:
    local, ray = tmp_path / "local", tmp_path / "ray"
    searched(local, "--sampler", sampler)
    _, said = searched(ray, "--sampler", sampler, "--executor", "ray", "--cpus-per-worker", "0.5")
    assert essence(ray) == essence(local)
    assert {state for _, _, state, _ in essence(ray)} > {"done"}  # some went on, some did not
    ours = re.compile(r"New study|  (space|budget|proxy|recipe|search|train|until)  |\d+/6 done|So far|Ended by")
    assert [line for line in said.splitlines() if not ours.match(line)] == []
