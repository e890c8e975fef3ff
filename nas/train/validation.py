"""How good a trained network is on images it has not learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from nas.data.dataset import DataSet, Split
from nas.train.batches import plain_batches
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
) -> Validation:
    """Classify a split, without augmentation, in evaluation mode; the model's mode is restored.

    A search compares on 'validation'; 'test' is for the one network that is exported in the end.

    Args:
        model: takes (N, C, H, W), gives logits (N, classes); it is moved to `device` and stays there.
        data: at the recipe's resolution.
        recipe: its precision and validation batch are used.
        split: which images.
        device: where to compute.
    """
    was_training = model.training
    model.to(torch.device(device), memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in train
    try:
        return _classify(model.eval(), data, _split(data, split), recipe, torch.device(device))
    finally:
        model.train(was_training)


@torch.inference_mode()
def _classify(model: nn.Module, data: DataSet, split: Split, recipe: Recipe, device: torch.device) -> Validation:
    correct = torch.zeros((), dtype=torch.int64, device=device)
    loss = torch.zeros((), dtype=torch.float64, device=device)
    for images, labels in plain_batches(data, split, batch=recipe.validation_batch, device=device):
        logits = forward(model, images, recipe)
        correct += (logits.argmax(1) == labels).sum()
        loss += functional.cross_entropy(logits, labels, reduction="sum")
    hits, count = int(correct.item()), len(split)
    return Validation(accuracy=hits / count, loss=loss.item() / count, correct=hits, images=count)


def _split(data: DataSet, name: Literal["train", "validation", "test"]) -> Split:
    return {"train": data.train, "validation": data.validation, "test": data.test}[name]
