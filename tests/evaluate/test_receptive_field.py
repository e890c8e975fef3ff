"""Receptive fields of networks whose fields are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas.architecture.network import Network, StageModule
from nas.evaluate.receptive_field import NoField, receptive_field


def linear_stack(kernels: list[int], *, channels: int = 3) -> Network:
    """Depthwise convolutions whose weights are 1 / k^2."""
    convolutions = []
    for kernel in kernels:
        one = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)
        nn.init.constant_(one.weight, 1 / kernel**2)
        convolutions.append(one)
    return Network(nn.Identity(), [StageModule(nn.Identity(), convolutions, nn.Identity())], nn.Identity())


@pytest.mark.parametrize("kernels", [[31], [3, 3, 3, 3], [7, 13, 5]])
def test_stack_of_linear_convolutions_has_the_field_of_convolved_boxes(kernels: list[int]) -> None:
    """Away from the border the field is the boxes convolved with each other, for each of the three channels."""
    field = receptive_field(linear_stack(kernels), torch.rand(2, 3, 65, 65) + 0.1)
    line = np.ones(1)
    for kernel in kernels:
        line = np.convolve(line, np.ones(kernel) / kernel)
    expected = np.zeros((65, 65))
    start = 32 - len(line) // 2
    expected[start : start + len(line), start : start + len(line)] = 3 * np.outer(line, line)
    np.testing.assert_allclose(field, expected, atol=1e-7)
    offsets = np.arange(65) - 32
    spread = (field.sum(0) * offsets**2).sum() / field.sum()
    assert spread == pytest.approx(sum(kernel**2 - 1 for kernel in kernels) / 12, rel=1e-4)  # variances of boxes add


def test_negative_points_and_negative_gradients_count_as_nothing() -> None:
    network = linear_stack([3], channels=1)
    kernel = torch.tensor([[1.0, -1.0, 0.0], [2.0, 0.5, -3.0], [0.0, 0.0, 4.0]])
    with torch.no_grad():
        next(network.parameters()).copy_(kernel.expand(1, 1, 3, 3))
    bright, dark = torch.ones(1, 1, 9, 9), -torch.ones(1, 1, 9, 9)  # the middle is 3.5 and -3.5
    field = receptive_field(network, torch.cat([bright, dark]))
    np.testing.assert_allclose(field[3:6, 3:6], kernel.relu().numpy() / 2)  # the mean of one image and of nothing
    with pytest.raises(NoField, match="no pixel contributes"):
        receptive_field(network, dark)


def test_weights_that_are_no_numbers_are_an_error() -> None:
    network = linear_stack([3])
    nn.init.constant_(next(network.parameters()), float("nan"))
    with pytest.raises(NoField, match="not finite"):
        receptive_field(network, torch.ones(1, 3, 8, 8))


def test_network_is_left_as_it_was_and_progress_ends_at_one() -> None:
    network = linear_stack([3]).train()
    done: list[float] = []
    receptive_field(network, torch.rand(3, 3, 8, 8), done.append)
    assert network.training
    assert all(one.requires_grad and one.grad is None for one in network.parameters())
    assert done[-1] == 1
