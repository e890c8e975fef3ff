"""A training of somebody's own, as a file outside the tree, and the searches that tests do with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nas
from nas.ledger import Ledger

TRAIN = '''
import hashlib, os, pathlib, time

from own_neighbour import STEPS

def score(architecture, *, job, report, pause=0.0, top=0.9):
    """Depends on all that is asked; goes on from where an earlier attempt was."""
    place = job.folder / "epochs"
    done = int(place.read_text()) if place.exists() else 0
    with open(os.environ["OWN_LOG"], "a") as log:
        log.write(f"{architecture.id} {job.rung} {done}\\\\n")
    for epoch in range(done + 1, job.epochs + 1):
        for step in range(STEPS):
            time.sleep(pause / STEPS)
            report(epoch - 1 + step / STEPS)
        place.with_suffix(".part").write_text(str(epoch))
        os.replace(place.with_suffix(".part"), place)
        report(epoch, accuracy=_accuracy(architecture, job, epoch, top))
    return _accuracy(architecture, job, job.epochs, top)

def _accuracy(architecture, job, epoch, top):
    text = f"{architecture.id} {job.seed} {job.task.resolution}"
    luck = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32
    return top * (1 - 0.5**epoch) * (0.8 + 0.2 * luck)
'''
SEARCH = ("--space", "tiny", "--budget", "20MFLOPs", "--sampler", "random", "--workers", "2", "--study", "own")


def written(folder: Path) -> Path:
    """The file and its neighbour, in a folder made for them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own_train.py").write_text(TRAIN.replace("\\\\", "\\"))
    (folder / "own_neighbour.py").write_text("STEPS = 5\n")
    return folder


def command(*options: str) -> list[str]:
    """A search as a user has it."""
    return [sys.executable, "-m", "nas", "search", *options]


def environment(folder: Path) -> dict[str, str]:
    """Of a program that runs in the folder."""
    return {**os.environ, "PYTHONPATH": str(Path(nas.__file__).parents[1]), "OWN_LOG": str(folder / "log")}


def searched(folder: Path, *options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A search that ends with a code."""
    done = subprocess.run(
        command(*options), cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def essence(folder: Path, study: str = "own") -> list[tuple[Any, ...]]:
    """All that must not depend on who trains, or on interruptions."""
    with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
        trials = ledger.trials(study)
    kept = [(one, one.evaluation) for one in trials]
    return [(one.number, one.architecture_id, one.state, found and (found.key, found.accuracy)) for one, found in kept]


def calls(folder: Path) -> list[tuple[str, int, int]]:
    """Every call of the training: architecture, rung, epochs done by an earlier one."""
    lines = (folder / "log").read_text().split("\n")[:-1]
    return [(name, int(rung), int(done)) for name, rung, done in map(str.split, lines)]
