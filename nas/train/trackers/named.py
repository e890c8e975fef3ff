"""The trackers by the names of their options."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from nas.errors import UserError
from nas.train.trackers.base import Tracker
from nas.train.trackers.mlflow import MLflow
from nas.train.trackers.tensorboard import TensorBoard
from nas.train.trackers.wandb import WeightsAndBiases

Folder = str | PathLike[str] | None


def find_trackers(*, tensorboard: Folder = None, wandb: Folder = None, mlflow: Folder = None) -> list[Tracker]:
    """The trackers that are given a folder.

    Raises:
        UserError: the library of one is absent, or its folder is a file.
    """
    asked: list[tuple[str, Callable[[Path], Tracker], Folder]] = [
        ("--tensorboard", TensorBoard, tensorboard),
        ("--wandb", WeightsAndBiases, wandb),
        ("--mlflow", MLflow, mlflow),
    ]
    for option, _, folder in asked:
        if folder is not None and Path(folder).exists() and not Path(folder).is_dir():
            raise UserError(f"{option} {folder}: this is a file; name a folder")
    return [make(Path(folder)) for _, make, folder in asked if folder is not None]
