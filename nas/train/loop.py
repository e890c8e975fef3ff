"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.data.dataset import DataSet
from nas.train.batches import Batch, TrainingBatches
from nas.train.ema import WeightAverage
from nas.train.failures import Diverged
from nas.train.optimizer import build_optimizer, set_learning_rate
from nas.train.randomness import derive, own_randomness
from nas.train.recipe import Recipe
from nas.train.schedule import cosine

Report = Callable[[float], None]
"""Called after every step with the share of the training that is done, in (0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training was like.

    Attributes:
        curve: mean training loss of every epoch.
        steps: optimizer steps.
        images: training images seen, with repetition.
        train_seconds: wall time of the whole call.
    """

    curve: tuple[float, ...]
    steps: int
    images: int
    train_seconds: float


def train(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    report: Report | None = None,
) -> TrainResult:
    """Train `model` in place on the training split.

    Everything random (order, augmentation, drop path) follows from `seed`: on the CPU, at the same number of threads,
    the same call gives the same bits. Torch's default generators are left as they were.

    Args:
        model: takes (N, C, H, W), gives logits (N, classes); it is moved to `device` and stays there.
        data: at the recipe's resolution.
        recipe: how to train; its drop path and layer scale concern building (see `nas.train.model`).
        seed: of order, augmentation and drop path.
        device: where to train.
        report: told about progress after every step.

    Raises:
        Diverged: the loss became infinite or NaN.
    """
    begun = time.perf_counter()
    place = torch.device(device)
    model.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    model.train()
    batches = TrainingBatches(data, recipe, seed=seed, device=place)
    with own_randomness(derive(seed, "drop path"), place):
        losses = _steps(model, batches, recipe, LossLog(place), report or _silent)
    return TrainResult(
        curve=_epoch_means(losses, batches.per_epoch),
        steps=len(batches),
        images=len(batches) * batches.batch,
        train_seconds=time.perf_counter() - begun,
    )


def _steps(model: nn.Module, batches: TrainingBatches, recipe: Recipe, log: LossLog, report: Report) -> Sequence[float]:
    """All optimizer steps; returns the loss of each."""
    optimizer = build_optimizer(model, recipe)
    average = None if recipe.ema_decay is None else WeightAverage(model, recipe.ema_decay)
    for step, batch in enumerate(batches):
        progress = (step + 0.5) / len(batches)  # the middle of the step: neither the first nor the last has rate 0
        set_learning_rate(optimizer, recipe.learning_rate * cosine(progress, warmup=recipe.warmup))
        loss = _loss(model, batch, recipe)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        if recipe.gradient_clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_clip)
        optimizer.step()
        if average is not None:
            average.update()
        log.add(loss.detach())
        report((step + 1) / len(batches))
    if average is not None:
        average.write_back()
    return log.close()


def _loss(model: nn.Module, batch: Batch, recipe: Recipe) -> Tensor:
    """Mean cross-entropy of a batch, a float32 scalar."""
    logits = forward(model, batch.images, recipe)
    return functional.cross_entropy(logits, batch.labels, label_smoothing=recipe.label_smoothing)


def forward(model: nn.Module, images: Tensor, recipe: Recipe) -> Tensor:
    """Logits in float32, (N, classes), computed in the recipe's precision."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits: Tensor = model(images)
    return logits.float()


class LossLog:
    """The loss of every step, and the watch over it.

    Reading a number off an accelerator makes it wait, so there losses are read, and looked at, a few at a time.
    """

    def __init__(self, device: torch.device) -> None:
        """Watch a training on `device`."""
        self._read_every = 1 if device.type == "cpu" else 16
        self._unread: list[Tensor] = []
        self._losses: list[float] = []

    def add(self, loss: Tensor) -> None:
        """Take the next step's loss, a scalar; raises Diverged if one that is read is not finite."""
        self._unread.append(loss)
        if len(self._unread) == self._read_every:
            self._read()

    def close(self) -> Sequence[float]:
        """The loss of every step; raises Diverged likewise."""
        if self._unread:
            self._read()
        return self._losses

    def _read(self) -> None:
        for loss in torch.stack(self._unread).tolist():
            if not math.isfinite(loss):
                raise Diverged(len(self._losses), loss)
            self._losses.append(loss)
        self._unread.clear()


def _epoch_means(losses: Sequence[float], per_epoch: int) -> tuple[float, ...]:
    return tuple(math.fsum(losses[at : at + per_epoch]) / per_epoch for at in range(0, len(losses), per_epoch))


def _silent(share: float) -> None:
    """Report nothing."""
