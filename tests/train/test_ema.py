from __future__ import annotations

import pytest
import torch
from torch import nn

from nas.train.ema import WeightAverage


def scalar(value: float) -> nn.Module:
    module = nn.BatchNorm1d(1)
    set_to(module, value)
    return module


def set_to(module: nn.Module, value: float) -> None:
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.fill_(value)


def test_average_follows_the_recurrence() -> None:
    module = scalar(1.0)
    average = WeightAverage(module, 0.3)
    expected = 1.0
    for update, value in enumerate([5.0, -2.0, 7.0, 7.0, 1.0]):
        set_to(module, value)
        average.update()
        decay = min(0.3, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
    average.write_back()
    assert module.weight.item() == pytest.approx(expected)
    assert module.running_mean.item() == pytest.approx(expected)


def test_counters_are_not_averaged() -> None:
    module = scalar(1.0)
    average = WeightAverage(module, 0.9)
    set_to(module, 3)
    average.update()
    average.write_back()
    assert module.num_batches_tracked.item() == 3


def test_a_constant_is_its_own_average() -> None:
    module = scalar(2.5)
    average = WeightAverage(module, 0.999)
    for _ in range(20):
        average.update()
    average.write_back()
    assert module.weight.item() == 2.5
