"""How good a trained network is on images it has not learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from nas.data.dataset import DataSet, Split
from nas.train.batches import Batch, plain_batches
from nas.train.loop import forward
from nas.train.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Result on one split.

    Attributes:
        accuracy: top-1, in [0, 1].
        loss: mean cross-entropy, without label smoothing.
        correct: images classified correctly.
        images: images in the split.
    """

    accuracy: float
    loss: float
    correct: int
    images: int


def validate(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    *,
    split: Literal["train", "validation", "test"] = "validation",
    device: torch.device | str = "cpu",
    resolution: int | None = None,
    after_batch: Callable[[], object] = lambda: None,
) -> Validation:
    """Classify a split, without augmentation, in evaluation mode; the model's mode is restored.

    A search compares on 'validation'; 'test' is for the one network that is exported in the end.

    Args:
        model: takes (N, C, H, W), gives logits (N, classes); it is moved to `device` and stays there.
        data: at the recipe's stored resolution.
        recipe: its precision, central crop and validation batch are used.
        split: which images.
        device: where to compute.
        resolution: side of the images in pixels; None for the recipe's.
        after_batch: called after every batch.
    """
    was_training = model.training
    place = torch.device(device)
    model.to(place)
    batches = plain_batches(
        data,
        _split(data, split),
        batch=recipe.validation_batch,
        side=resolution or recipe.resolution,
        crop_share=recipe.crop_share,
        device=place,
    )
    try:
        return _classify(model.eval(), batches, recipe, place, after_batch)
    finally:
        model.train(was_training)


@torch.inference_mode()
def _classify(
    model: nn.Module, batches: Iterable[Batch], recipe: Recipe, device: torch.device, after_batch: Callable[[], object]
) -> Validation:
    count = 0
    correct = torch.zeros((), dtype=torch.int64, device=device)
    loss = torch.zeros((), dtype=torch.float64, device=device)
    for images, labels in batches:
        logits = forward(model, images, recipe)
        correct += (logits.argmax(1) == labels).sum()
        loss += functional.cross_entropy(logits, labels, reduction="sum")
        count += len(labels)
        after_batch()
    hits = int(correct.item())
    return Validation(accuracy=hits / count, loss=loss.item() / count, correct=hits, images=count)


def _split(data: DataSet, name: Literal["train", "validation", "test"]) -> Split:
    return {"train": data.train, "validation": data.validation, "test": data.test}[name]
