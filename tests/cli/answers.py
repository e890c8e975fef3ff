"""What commands answer, run in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nas.cli.main import main

Capture = pytest.CaptureFixture[str]


def document(capsys: Capture, *arguments: str) -> Any:
    """What a command prints under --json, which must be one document and nothing else."""
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: Capture, *arguments: str) -> str:
    """What a command that refuses its input says on stderr."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err
