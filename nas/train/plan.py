"""A training laid out before it begins: which epoch runs at which fidelity, and which step belongs to which.

Everything about a step follows from its number, so a training can be left after any step and taken up by anybody.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from nas.data.dataset import DataSet
from nas.train.recipe import Fidelity, Recipe
from nas.train.subset import used_images

_COARSE_FROM, _COARSE, _FINE = 128, 32, 4  # progressive resizing: from this side on steps of 32 pixels, below of 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One pass over the images of its rung.

    Attributes:
        number: its place in the training, from 0.
        rung: the rung it leads to.
        first_step: number of its first step.
        steps: how many it has.
        batch: images per step.
        resolution: side of the images in pixels.
        data_share: share of the training images it goes through.
    """

    number: int
    rung: int
    first_step: int
    steps: int
    batch: int
    resolution: int
    data_share: float


@dataclass(frozen=True)
class Plan:
    """All epochs of a training, and the learning rate of every step."""

    epochs: tuple[Epoch, ...]
    recipe: Recipe

    @cached_property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.end_of(self.epochs[-1].rung)

    @cached_property
    def _starts(self) -> list[int]:
        return [epoch.first_step for epoch in self.epochs]

    def epoch_of(self, step: int) -> Epoch:
        """The epoch that a step belongs to."""
        return self.epochs[bisect_right(self._starts, step) - 1]

    def end_of(self, rung: int) -> int:
        """Steps that are done when a rung is reached."""
        last = [epoch for epoch in self.epochs if epoch.rung == rung][-1]
        return last.first_step + last.steps

    def images_until(self, step: int) -> int:
        """Training images seen in the first `step` steps, with repetition."""
        return sum(min(epoch.steps, max(0, step - epoch.first_step)) * epoch.batch for epoch in self.epochs)

    def learning_rate(self, step: int) -> float:
        """The learning rate of a step: linear warm-up and half a cosine over the training, or over each rung.

        Where the recipe states it for some batch, it follows the images that the step really has (linear scaling;
        'Accurate, Large Minibatch SGD', arXiv:1706.02677).
        """
        first, steps = 0, self.steps
        epoch = self.epoch_of(step)
        if self.recipe.anneal == "rung":
            rung = epoch.rung
            first = self.end_of(rung - 1) if rung else 0
            steps = self.end_of(rung) - first
        progress = (step - first + 0.5) / steps  # the middle of the step: neither the first nor the last has rate 0
        factor = cosine(progress, warmup=self.recipe.warmup, floor=self.recipe.learning_rate_floor)
        return self.recipe.peak_learning_rate(epoch.batch) * factor


def plan_training(recipe: Recipe, data: DataSet) -> Plan:
    """Lay out a recipe on a data set."""
    epochs: list[Epoch] = []
    step = 0
    for fidelity in recipe.fidelities:
        used = len(used_images(data, fidelity.data_share))
        batch = min(recipe.batch, used)
        for number in range(len(epochs), fidelity.epochs):
            epoch = Epoch(
                number=number,
                rung=fidelity.rung,
                first_step=step,
                steps=used // batch,
                batch=batch,
                resolution=_side(recipe, fidelity, number),
                data_share=fidelity.data_share,
            )
            epochs.append(epoch)
            step += epoch.steps
    return Plan(tuple(epochs), recipe)


def cosine(progress: float, *, warmup: float = 0.0, floor: float = 0.0) -> float:
    """Factor of the learning rate: a linear rise over `warmup`, then half a cosine down to `floor`.

    Half a cosine: 'SGDR' (arXiv:1608.03983), without restarts.

    Args:
        progress: share of the training that is done, in [0, 1].
        warmup: share of the training that the rise takes, in [0, 1).
        floor: the factor at the end, in [0, 1].
    """
    if progress < warmup:
        return progress / warmup
    descent = (progress - warmup) / (1 - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * descent)) / 2


def _side(recipe: Recipe, fidelity: Fidelity, epoch: int) -> int:
    """The side of the images in an epoch: the rung's, or less while images still grow.

    Progressive resizing ('EfficientNetV2', arXiv:2104.00298, section 4), without its growing regularisation.
    """
    start = recipe.resolution_start
    if start is None or recipe.epochs == 1:
        return fidelity.resolution
    exact = start + (recipe.resolution - start) * epoch / (recipe.epochs - 1)
    unit = _COARSE if recipe.resolution >= _COARSE_FROM else _FINE
    grown = recipe.resolution if epoch == recipe.epochs - 1 else max(start, int(exact // unit) * unit)
    return min(fidelity.resolution, grown)
