"""The learning curve of a training: a row for every epoch, as a table that any program reads."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
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


def read_curve(path: Path) -> tuple[EpochRow, ...]:
    """Read what `write_curve` wrote.

    Raises:
        UserError: it cannot be read, or is something else.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        return tuple(
            EpochRow(
                epoch=int(line["epoch"]),
                train_loss=float(line["train_loss"]),
                validation_loss=float(line["validation_loss"]),
                validation_accuracy=float(line["validation_accuracy"]),
                learning_rate=float(line["learning_rate"]),
                images=int(line["images"]),
                seconds=float(line["seconds"]),
            )
            for line in lines
        )
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: not a curve as `nas train` writes it: {error!r}") from None
