"""TensorBoard's event files: `tensorboard --logdir FOLDER` shows them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas.train.trackers.base import TrackedRun, is_marked, put_mark, require_library, tag


class TensorBoard:
    """A folder of event files for every run, FOLDER/GROUP/NAME, with its facts as hyperparameters."""

    def __init__(self, folder: Path) -> None:
        """Raise UserError where the library is absent."""
        require_library("tensorboard", "--tensorboard", "tensorboard")
        self._folder = folder

    def has(self, run: TrackedRun) -> bool:
        """Whether it is there."""
        return is_marked(self._place(run), run.mark)

    def begin(self, run: TrackedRun) -> _Run:
        """Begin a run."""
        shutil.rmtree(self._place(run), ignore_errors=True)
        return _Run(self._place(run), run)

    def _place(self, run: TrackedRun) -> Path:
        return self._folder / run.group / run.name


class _Run:
    """One run."""

    def __init__(self, folder: Path, run: TrackedRun) -> None:
        from torch.utils.tensorboard import SummaryWriter  # 1 s
        from torch.utils.tensorboard.summary import hparams

        self._writer = SummaryWriter(str(folder))
        self._folder, self._mark = folder, run.mark
        plain = {
            name: value if isinstance(value, bool | int | float) else str(value) for name, value in run.facts.items()
        }
        made: Any = hparams
        events: Any = self._writer.file_writer
        for summary in made(plain, {tag("validation_accuracy"): None}):
            events.add_summary(summary)  # beside the curves; add_hparams would make a run of its own

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """Add an epoch."""
        for name, value in values.items():
            self._writer.add_scalar(tag(name), value, epoch)
        self._writer.flush()

    def close(self) -> None:
        """Nothing more is coming."""
        self._writer.close()
        put_mark(self._folder, self._mark)
