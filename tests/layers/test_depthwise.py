"""The fast depthwise convolution against PyTorch's own, and its gradients against finite differences."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from nas.layers.depthwise import DepthwiseConv


def gradients(y: torch.Tensor, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    seed = torch.randn(y.shape, generator=torch.Generator().manual_seed(3), dtype=y.dtype)
    return torch.autograd.grad((y * seed).sum(), inputs)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 9, 11, 13, 15, 31])
@pytest.mark.parametrize("size", [(7, 7), (14, 9), (20, 20), (31, 17), (40, 56)], ids=str)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_pytorchs(
    kernel: int, size: tuple[int, int], memory_format: torch.memory_format
) -> None:
    generator = torch.Generator().manual_seed(kernel)
    x = torch.randn(2, 3, *size, generator=generator, dtype=torch.float64).to(memory_format=memory_format)
    x.requires_grad_()
    ours = DepthwiseConv(3, kernel).double()
    expected = functional.conv2d(x, ours.weight, ours.bias, padding=kernel // 2, groups=3)
    found = ours(x)
    torch.testing.assert_close(found, expected)
    inputs = (x, ours.weight, ours.bias)
    for one, other in zip(gradients(found, *inputs), gradients(expected, *inputs), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("kernel", "size"), [(3, 5), (7, 6), (9, 16), (15, 8)])
def test_gradients_are_those_of_finite_differences(kernel: int, size: int) -> None:
    conv = DepthwiseConv(1, kernel).double()
    x = torch.randn(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: conv(x), (x,))


def test_only_wanted_gradients_are_computed() -> None:
    conv = DepthwiseConv(2, 7, bias=False)
    conv.weight.requires_grad_(requires_grad=False)
    x = torch.randn(1, 2, 9, 9, requires_grad=True)
    conv(x).sum().backward()
    assert x.grad is not None
    assert conv.weight.grad is None


def test_strides_and_dilations_are_pytorchs() -> None:
    x = torch.randn(1, 4, 17, 17)
    for stride, dilation in ((2, 1), (1, 3), (2, 2)):
        ours = DepthwiseConv(4, 5, stride=stride, dilation=dilation)
        plain = nn.Conv2d(4, 4, 5, stride=stride, dilation=dilation, padding=2 * dilation, groups=4)
        plain.load_state_dict(ours.state_dict())
        torch.testing.assert_close(ours(x), plain(x))


def test_it_stays_in_float32_under_autocast() -> None:
    conv, x = DepthwiseConv(4, 7), torch.randn(1, 4, 9, 9)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = conv(x.bfloat16())
    assert y.dtype == torch.float32


def test_bfloat16_weights_take_bfloat16_maps() -> None:
    conv = DepthwiseConv(4, 7).bfloat16()
    x = torch.randn(1, 4, 9, 9, dtype=torch.bfloat16, requires_grad=True)
    conv(x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16
