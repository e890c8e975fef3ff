"""Weights & Biases, offline: `wandb sync FOLDER/wandb/offline-run-*` sends what its owner wants to send."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas.train.trackers.base import TrackedRun, is_marked, put_mark, require_library, tag

_PROJECT = "nas"
_HEADER = 7  # bytes of a file without records
_PATIENCE = 30.0  # seconds


class WeightsAndBiases:
    """A folder `wandb/offline-run-*` for every run, of the project `nas`, grouped by study."""

    def __init__(self, folder: Path) -> None:
        """Raise UserError where the library is absent."""
        require_library("wandb", "--wandb", "trackers")
        self._folder = folder

    def has(self, run: TrackedRun) -> bool:
        """Whether it is there."""
        return any(is_marked(one, run.mark) for one in self._places(run))

    def _places(self, run: TrackedRun) -> list[Path]:
        return list((self._folder / "wandb").glob(f"offline-run-*-{run.identity}"))

    def begin(self, run: TrackedRun) -> _Run:
        """Begin a run."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it is read when the package is imported
        import wandb  # 1 s

        for old in self._places(run):
            shutil.rmtree(old, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(silent=True, console="off", disable_git=True, disable_code=True)
        begun = wandb.init(
            project=_PROJECT,
            group=run.group,
            name=run.name,
            id=run.identity,  # so that its server has it once
            dir=str(self._folder),
            config=dict(run.facts),
            mode="offline",
            reinit="create_new",
            settings=settings,
        )
        return _Run(begun, run.mark)


class _Run:
    """One run."""

    def __init__(self, run: Any, mark: str) -> None:
        self._run, self._mark = run, mark

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """Add an epoch."""
        self._run.log({tag(name): value for name, value in values.items()}, step=epoch)

    def close(self) -> None:
        """Nothing more is coming."""
        self._run.finish()
        folder = Path(self._run.dir).parent
        _wait_for_the_file(folder)
        put_mark(folder, self._mark)


def _wait_for_the_file(folder: Path) -> None:
    """W&B's service may say that a run is finished before its file has any record (1 of 16 short runs, under load).

    Those of a short run come all at once; of a long one only the first are waited for.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if any(file.stat().st_size > _HEADER for file in folder.glob("run-*.wandb")):
            return
        time.sleep(0.01)
