"""stdout and stderr as shells leave them: closed, full, without a reader, in encodings that lack most characters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nas.cli.streams import prepare

COMMANDS = [
    ["--help"],
    ["presets"],
    ["cost", "convnext_tiny", "--json"],
    ["show", "convnext_tiny", "--yaml"],
]


def run(arguments: list[str], redirection: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A command under a shell's redirection; `$0` is the interpreter."""
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -m nas "$@" {redirection}', sys.executable, *arguments],
        capture_output=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(folder), **variables},
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("redirection", "code"),
    [(">/dev/full", 2), (">&-", 0), ("| head -c 1 >/dev/null", 0), (">&- 2>&-", 0), ("2>/dev/full >/dev/null", 0)],
)
@pytest.mark.slow
def test_a_command_whose_output_goes_nowhere(arguments: list[str], redirection: str, code: int, tmp_path: Path) -> None:
    done = run(arguments, redirection, tmp_path)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert (b"No space left" in done.stderr) == (code == 2)


def test_a_full_disk_behind_stdout_is_one_message(tmp_path: Path) -> None:
    done = run(["presets", "--json"], ">/dev/full", tmp_path)
    assert done.returncode == 2
    said = "error: writing the output: No space left on device; free some space and give the same command again"
    assert done.stderr.decode().strip() == said


@pytest.mark.slow
def test_an_error_that_nobody_can_read_keeps_its_exit_code(tmp_path: Path) -> None:
    assert run(["presets", "--no-such"], "2>/dev/full", tmp_path).returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
@pytest.mark.parametrize(
    "arguments", [["show", "convnext_tiny"], ["grammar", "mixer"], ["--help"], ["cost", "näher…"]], ids=" ".join
)
@pytest.mark.slow
def test_terminals_that_lack_characters(encoding: str, arguments: list[str], tmp_path: Path) -> None:
    done = run(arguments, "", tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0", LC_ALL="C.UTF-8")
    assert done.returncode == (2 if arguments[0] == "cost" else 0)
    assert b"Traceback" not in done.stderr
    (done.stdout + done.stderr).decode(encoding)


def test_characters_that_are_lacking_are_written_as_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as out:
        monkeypatch.setattr(sys, "stdout", out)
        prepare()
        sys.stdout.write("stage 3 · 14\u00d714 → 7\u00d77 … ü █▌\n")
    assert (tmp_path / "out").read_text() == "stage 3 - 14x14 -> 7x7 ... ? #?\n"
