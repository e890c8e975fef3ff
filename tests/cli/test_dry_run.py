"""`nas search --dry-run` checks what it says, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas.cli.main import main

RIGHT = ["search", "--space", "tiny", "--budget", "30MFLOPs", "--dry-run"]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--storage", "sqlite:///missing/nas.db", "there is no folder"),
        ("--storage", "sqlite:////dev/null/nas.db", "there is no folder"),
        ("--checkpoints", "/dev/null", "no folder that can be written to"),
        ("--checkpoints", "/dev/null/deeper", "no folder that can be written to"),
        ("--metrics", "192.0.2.1:9100", "metrics cannot be served"),
        ("--data", "folder:missing", "missing"),
        ("--device", "abacus", "abacus"),
    ],
)
def test_what_could_not_run_is_refused(
    option: str,
    value: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*RIGHT, option, value]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_could_run_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*RIGHT, "--checkpoints", "later/here", "--metrics", "0", "--storage", "sqlite:///other.db"]) == 0
    assert not list(tmp_path.iterdir())
