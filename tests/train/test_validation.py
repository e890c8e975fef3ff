from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from nas.data import DataSet
from nas.train import Recipe
from nas.train.validation import validate

Make = Callable[[], nn.Module]


@pytest.mark.parametrize("batch", [1000, 359, 100])
def test_validation_agrees_with_one_big_batch(tiny_net: Make, digits: DataSet, batch: int) -> None:
    model = tiny_net().eval()
    pixels = torch.from_numpy(digits.validation.images).double() / 255
    images = ((pixels - digits.mean[0]) / digits.std[0]).float()
    labels = torch.from_numpy(digits.validation.labels)
    with torch.no_grad():
        logits = model(images)
    found = validate(model, digits, Recipe(resolution=8, validation_batch=batch))
    assert found.images == 359
    assert found.correct == (logits.argmax(1) == labels).sum()
    assert found.accuracy == found.correct / 359
    assert found.loss == pytest.approx(functional.cross_entropy(logits, labels).item(), rel=1e-5)


def test_splits_are_told_apart(tiny_net: Make, digits: DataSet) -> None:
    model, recipe = tiny_net(), Recipe(resolution=8)
    assert validate(model, digits, recipe, split="train").images == 1079
    assert validate(model, digits, recipe, split="test").loss != validate(model, digits, recipe).loss


@pytest.mark.parametrize("is_training", [True, False])
def test_validation_leaves_mode_and_weights_alone(tiny_net: Make, digits: DataSet, is_training: bool) -> None:
    model = tiny_net().train(is_training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    validate(model, digits, Recipe(resolution=8))
    assert model.training is is_training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
