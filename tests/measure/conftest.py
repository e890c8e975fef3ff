from __future__ import annotations

import sys
from pathlib import Path

import pytest

QUICK = """
runtime: {runtime}
{more}
warm_up: {{at_least: 0, at_most: 0}}
runs: {{in_round: 1, rounds: 6, at_most: 6}}
max_spread: 10
max_drift: 10
"""
SCRIPT = """
import sys, time
{body}
"""


@pytest.fixture
def quick(tmp_path: Path) -> str:
    """A profile of torch that takes six runs."""
    return write_profile(tmp_path, "torch", "device: cpu\nthreads: 1\nclock: process")


def write_profile(folder: Path, runtime: str, more: str) -> str:
    file = folder / f"quick-{runtime}.yaml"
    file.write_text(QUICK.format(runtime=runtime, more=more))
    return str(file)


def command_profile(folder: Path, body: str, *, figure: str = r"([\\d.]+) ms", seconds: float = 20) -> str:
    """A profile whose command is another Python with a script of this body."""
    script = folder / "tool.py"
    script.write_text(SCRIPT.format(body=body))
    argv = f'["{sys.executable}", "-I", "{script}", "{{model}}"]'
    more = f'device: my board\nclock: reported\ncommand: {{argv: {argv}, figure: "{figure}", seconds: {seconds}}}'
    return write_profile(folder, "command", more)
