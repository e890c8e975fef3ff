"""The trackers by the names of their options."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from nas.train.trackers.base import Tracker
from nas.train.trackers.mlflow import MLflow
from nas.train.trackers.tensorboard import TensorBoard
from nas.train.trackers.wandb import WeightsAndBiases

Folder = str | PathLike[str] | None


def find_trackers(*, tensorboard: Folder = None, wandb: Folder = None, mlflow: Folder = None) -> list[Tracker]:
    """The trackers that are given a folder.

    Raises:
        UserError: the library of one is absent.
    """
    asked: list[tuple[Callable[[Path], Tracker], Folder]] = [
        (TensorBoard, tensorboard),
        (WeightsAndBiases, wandb),
        (MLflow, mlflow),
    ]
    return [make(Path(folder)) for make, folder in asked if folder is not None]
