"""The training loop: a training that can stop at any step and go on elsewhere as if it had not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nas.data.dataset import DataSet
from nas.train.augment import Mixed
from nas.train.batches import WHOLE, Shard, TrainingBatches
from nas.train.ema import WeightAverage
from nas.train.failures import Diverged
from nas.train.optimizer import build_optimizer, set_learning_rate
from nas.train.plan import plan_training
from nas.train.randomness import derive, own_randomness, reseed
from nas.train.recipe import Recipe
from nas.train.views import loss_of

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


class Training:
    """One training under way: a network, its optimizer, its average, and the number of steps that are done.

    Everything random (order, augmentation, drop path) follows from the seed and the number of the step. On the CPU, at
    the same number of threads, the same steps give the same bits, whether they were done in one go, on one worker, or
    not. Torch's default generators are left as they were.
    """

    def __init__(
        self,
        model: nn.Module,
        data: DataSet,
        recipe: Recipe,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        micro_batch: int | None = None,
        shard: Shard = WHOLE,
    ) -> None:
        """Get ready for the first step.

        Args:
            model: takes (N, C, H, W), gives logits (N, classes); it is moved to `device`, stays there, and is trained
                in place.
            data: at the recipe's stored resolution.
            recipe: how to train; its starting weights and drop path concern building (see `nas.train.model`).
            seed: of order, augmentation and drop path.
            device: where to train.
            micro_batch: images per forward pass; the gradients of a batch are summed over them. None: the whole batch.
            shard: the part of each batch to train on; more than one needs torch's default process group.
        """
        place = torch.device(device)
        layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        model.to(place, memory_format=layout)  # type: ignore[call-overload]  # missing in torch's stubs
        self.model = model
        self.recipe = recipe
        self.step = 0
        self.micro_batch = micro_batch
        self.plan = plan_training(recipe, data)
        self.device = place
        self._seed, self._shard = seed, shard
        self._forward = _wrapped(model, recipe, place, shard)
        self._batches = TrainingBatches(data, self.plan, seed=seed, device=place, shard=shard)
        self._optimizer = build_optimizer(model, recipe)
        self._average = None if recipe.ema_decay is None else WeightAverage(model, recipe.ema_decay)
        self._log = LossLog(place)

    def run(
        self, rung: int | None = None, *, report: Report | None = None, after_step: Callable[[], None] | None = None
    ) -> None:
        """Train until a rung is reached, or to the end.

        Args:
            rung: where to stop; None for the last one. One that is behind already is no error: nothing happens.
            report: told the share of the steps up to `rung` that is done.
            after_step: called after every step, when `state_dict` may be taken.

        Raises:
            Diverged: the loss, or a weight in the last step, became infinite or NaN.
        """
        end = self.plan.steps if rung is None else self.plan.end_of(rung)
        self.model.train()
        with own_randomness(self._seed, self.device):
            for batch in self._batches.between(self.step, end):
                self._take_step(batch)
                if report is not None:
                    report(self.step / end)
                if after_step is not None:
                    after_step()
        self._log.flush()
        self._look_at_weights()

    def keep_average(self) -> None:
        """Give the model the weights to judge for good; the training is over."""
        if self._average is not None:
            self._average.write_back()

    def averaged(self) -> AbstractContextManager[None]:
        """Inside the block the model has the weights to judge: the moving average where the recipe has one."""
        return nullcontext() if self._average is None else self._average.in_place()

    @property
    def curve(self) -> tuple[float, ...]:
        """Mean training loss of every epoch that is complete."""
        self._log.flush()
        done = [epoch for epoch in self.plan.epochs if epoch.first_step + epoch.steps <= self.step]
        losses = self._log.losses
        return tuple(math.fsum(losses[one.first_step : one.first_step + one.steps]) / one.steps for one in done)

    @property
    def images(self) -> int:
        """Training images seen, with repetition."""
        return self.plan.images_until(self.step)

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on needs: tensors, numbers and plain containers."""
        self._log.flush()
        return {
            "step": self.step,
            "losses": torch.tensor(self._log.losses, dtype=torch.float64),
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "micro_batch": self.micro_batch,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where a training of the same network, recipe, data and seed was; the smaller micro-batch stays.

        Raises:
            RuntimeError, ValueError or KeyError: it was another one's.
        """
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        self._log = LossLog(self.device, state["losses"].tolist())
        sizes = [size for size in (self.micro_batch, state["micro_batch"]) if size is not None]
        self.micro_batch = min(sizes, default=None)
        self.step = state["step"]

    def _take_step(self, batch: Mixed) -> None:
        reseed(derive(self._seed, f"drop path {self.step} {self._shard.rank}"), self.device)
        set_learning_rate(self._optimizer, self.plan.learning_rate(self.step))
        self._optimizer.zero_grad()
        self._log.add(self._differentiate(batch))
        if self.recipe.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.gradient_clip)
        self._optimizer.step()
        if self._average is not None:
            self._average.update()
        self.step += 1

    def _look_at_weights(self) -> None:
        """No loss is computed after the last step: what it did shows in the weights and running statistics alone."""
        tensors = [one for one in self.model.state_dict().values() if one.is_floating_point()]
        if tensors and not bool(torch.stack([one.isfinite().all() for one in tensors]).all()):
            raise Diverged(self.step - 1)

    def _differentiate(self, batch: Mixed) -> Tensor:
        """Gradients of a batch's mean loss, in parts if it does not fit; returns the loss, a scalar."""
        size = len(batch.labels)
        total = torch.zeros((), device=self.device)
        for part in _parts(batch, self.micro_batch):
            logits = forward(self._forward, part.images, self.recipe)
            loss = loss_of(logits, part, self.recipe) * (len(part.labels) / size)
            torch.autograd.backward(loss)
            total += loss.detach()
        return total


def train(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    report: Report | None = None,
) -> TrainResult:
    """Train `model` in place on the training split, from the first step to the last; see `Training`.

    Afterwards it has the weights to judge: the moving average where the recipe has one.

    Raises:
        Diverged: the loss, or a weight in the last step, became infinite or NaN.
    """
    begun = time.perf_counter()
    training = Training(model, data, recipe, seed=seed, device=device)
    training.run(report=report)
    training.keep_average()
    return TrainResult(
        curve=training.curve,
        steps=training.step,
        images=training.images,
        train_seconds=time.perf_counter() - begun,
    )


def forward(model: Callable[[Tensor], Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """Logits in float32, (N, classes), computed in the recipe's precision."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits: Tensor = model(images)
    return logits.float()


class LossLog:
    """The loss of every step, and the watch over it.

    Reading a number off an accelerator makes it wait, so there losses are read, and looked at, a few at a time.
    """

    def __init__(self, device: torch.device, losses: Iterable[float] = ()) -> None:
        """Watch a training on `device` whose first steps had `losses`."""
        self._read_every = 1 if device.type == "cpu" else 16
        self._unread: list[Tensor] = []
        self.losses: list[float] = list(losses)

    def add(self, loss: Tensor) -> None:
        """Take the next step's loss, a scalar; raises Diverged if one that is read is not finite."""
        self._unread.append(loss)
        if len(self._unread) == self._read_every:
            self.flush()

    def flush(self) -> None:
        """Bring `losses` up to date; raises Diverged likewise."""
        unread, self._unread = self._unread, []
        for loss in torch.stack(unread).tolist() if unread else ():
            if not math.isfinite(loss):
                raise Diverged(len(self.losses), loss)
            self.losses.append(loss)


def _wrapped(model: nn.Module, recipe: Recipe, device: torch.device, shard: Shard) -> Callable[[Tensor], Tensor]:
    """The model as it is called: compiled, and with gradients that are averaged over processes."""
    wrapped: nn.Module = model
    if shard.world > 1:
        wrapped = DistributedDataParallel(wrapped, device_ids=[device] if device.type == "cuda" else None)
    if recipe.compile:
        compiled: Callable[[Tensor], Tensor] = torch.compile(wrapped)
        return compiled
    return wrapped


def _parts(batch: Mixed, size: int | None) -> Iterator[Mixed]:
    if size is None or size >= len(batch.labels):
        yield batch
        return
    for start in range(0, len(batch.labels), size):
        yield Mixed(*(tensor[start : start + size] for tensor in batch))
