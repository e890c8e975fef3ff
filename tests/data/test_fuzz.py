"""Every reader on damaged inputs: read, or refused with one message, within limits of time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import fuzzing
import pytest

FAST = 42
"""Inputs of each of the twelve kinds, 504 in all."""
SLOW = 840
"""The same for the long test, 10,080 in all."""


@pytest.mark.parametrize("kind", fuzzing.CASES)
def test_damage_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    tally, wrong = fuzzing.fuzz(kind, range(FAST), tmp_path)
    assert not wrong, "\n".join(wrong)
    assert tally.total() == FAST


@pytest.mark.slow
@pytest.mark.parametrize("kind", fuzzing.CASES)
def test_much_damage_is_read_or_refused(kind: str) -> None:
    """In a process of its own, which a decoder may bring down."""
    program = [sys.executable, Path(fuzzing.__file__), kind, "10000", str(SLOW)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=fuzzing.SECONDS * SLOW, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert not report["wrong"], "\n".join(report["wrong"])
    assert sum(report["tally"].values()) == SLOW
