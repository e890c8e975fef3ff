"""The example of docs/plugins.md, run as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "plugins.md"
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_every_block_of_the_guide_runs(tmp_path: Path) -> None:
    commands: list[str] = []
    for language, name, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if language == "bash":
            commands += text.splitlines()
        else:
            (tmp_path / name).write_text(text)
    assert commands
    assert all(command.startswith("nas ") for command in commands)
    for command in commands:
        arguments = [sys.executable, "-m", "nas", *shlex.split(command)[1:]]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
