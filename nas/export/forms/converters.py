"""Converters and runtimes in processes of their own: what they tell and how they end stays there."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from nas.export import apart
from nas.export.forms.base import Options, Subject
from nas.export.forms.pytorch import write_exported
from nas.measure.runtimes.base import RefusedError

_PROGRAM = Path(apart.__file__).parent / "program.py"


def run_apart(name: str, words: Sequence[str], *, cwd: Path, patience: float) -> None:
    """Run a program to its end; its last words are the reason where it fails.

    Args:
        name: what people call it.
        words: of its command.
        cwd: where it runs.
        patience: seconds after which it is ended.

    Raises:
        RefusedError: it fails, or is not done in time.
    """
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, errors="replace", timeout=patience)
    except subprocess.TimeoutExpired:
        raise RefusedError(f"{name}: not done after {patience:.0f} s") from None
    except OSError as error:
        raise RefusedError(f"{name}: cannot be started: {error}") from None
    if done.returncode < 0:
        raise RefusedError(f"{name}: ended by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise RefusedError(f"{name}: {lines[-1]}")


def write_apart(program: str, subject: Subject, options: Options, file: Path, *, patience: float) -> None:
    """Have a program of `nas.export.apart` write the deployed network, which it gets as an `ExportedProgram`."""
    with tempfile.TemporaryDirectory() as place:
        exported = Path(place) / "network.pt2"
        write_exported(subject, exported, options.batch or 1)
        _run(program, "write", exported, file, cwd=Path(place), patience=patience)
    if not file.is_file():
        raise RefusedError(f"{program}: it wrote no network")


def outputs_apart(program: str, file: Path, batches: Sequence[Tensor], *, patience: float) -> list[Tensor]:
    """What the runtime of a program of `nas.export.apart` computes from each (N, C, H, W) with a file's network."""
    with tempfile.TemporaryDirectory() as place:
        images, outputs = Path(place) / "images.safetensors", Path(place) / "outputs.safetensors"
        save_file({str(index): one.contiguous() for index, one in enumerate(batches)}, images)
        _run(program, "run", file, images, outputs, cwd=Path(place), patience=patience)
        found = load_file(outputs)
    return [found[str(index)] for index in range(len(batches))]


def _run(program: str, *words: str | Path, cwd: Path, patience: float) -> None:
    command = [sys.executable, "-W", "ignore", str(_PROGRAM), program]
    run_apart(program, [*command, *map(str, words)], cwd=cwd, patience=patience)
