"""The learning curve of a training: a row for every epoch, as a table that any program reads, or for TensorBoard."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from pathlib import Path

from nas.data.atomic import new_file
from nas.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRow:
    """How a training stood at the end of an epoch.

    Attributes:
        epoch: from 1.
        train_loss: mean over the epoch's steps.
        validation_loss, validation_accuracy: of the weights to judge, which are averaged where the recipe says so.
        learning_rate: of the epoch's last step.
        images: training images seen until then, with repetition.
        seconds: of training until then, validation left out.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    images: int
    seconds: float


def write_curve(rows: Sequence[EpochRow], path: Path) -> None:
    """Write the curve as CSV with a header, whole; so an epoch that is trained again is there once."""
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [one.name for one in fields(EpochRow)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def require_tensorboard() -> None:
    """Raise UserError where TensorBoard's library is absent."""
    if find_spec("tensorboard") is None:
        raise UserError(
            "TensorBoard's files need its library; `pip install 'nas-convnets[tensorboard]'` brings it. "
            "curve.csv is written anyway"
        )


class TensorBoard:
    """The same curve in TensorBoard's form, by its own library.

    What is in the folder from an earlier run is written anew, because that run may have been further than what is
    resumed, or less far.
    """

    def __init__(self, folder: Path) -> None:
        """Begin anew in `folder`."""
        from torch.utils.tensorboard import SummaryWriter  # 1 s

        shutil.rmtree(folder, ignore_errors=True)
        self._writer = SummaryWriter(str(folder))
        self._written = 0

    def update(self, rows: Sequence[EpochRow]) -> None:
        """Write those of the rows that are not there yet."""
        for row in rows[self._written :]:
            for name, value in asdict(row).items():
                if name != "epoch":
                    self._writer.add_scalar(_TAGS.get(name, name), value, row.epoch)
        self._written = len(rows)
        self._writer.flush()

    def close(self) -> None:
        """Nothing more is coming."""
        self._writer.close()


_TAGS = {"train_loss": "loss/train", "validation_loss": "loss/validation", "validation_accuracy": "accuracy/validation"}
