"""The CPU's own way of a depthwise convolution against PyTorch's, forwards and backwards."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nas.layers.depthwise import DepthwiseConv
from nas.layers.depthwise_cpu import DepthwiseFunction

# kernel, dilation, height, width: every branch of the rules, kernels beyond the map, maps that are no squares
SHAPES = (
    (3, 1, 14, 14), (3, 1, 1, 1), (5, 1, 9, 12), (7, 1, 3, 5), (7, 1, 14, 14), (9, 1, 1, 6), (13, 1, 7, 7),
    (13, 1, 14, 9), (15, 1, 20, 20), (31, 1, 20, 9), (31, 1, 33, 33), (31, 1, 1, 1), (5, 2, 12, 12), (7, 3, 14, 14),
    (7, 3, 8, 5), (3, 7, 9, 9),
)  # fmt: skip


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def layer(kernel: int, dilation: int = 1, stride: int = 1, width: int = 4) -> DepthwiseConv:
    conv = DepthwiseConv(width, kernel, stride=stride, dilation=dilation)
    with torch.no_grad():
        conv.weight.copy_(drawn(*conv.weight.shape, seed=1))
    return conv


def distance(found: Tensor, exact: Tensor) -> float:
    return ((found.double() - exact).abs().max() / exact.abs().max().clamp_min(1e-9)).item()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_it_computes_what_pytorch_computes(shape: tuple[int, int, int, int], stride: int) -> None:
    kernel, dilation, height, width = shape
    conv = layer(kernel, dilation, stride)
    weight, bias = (one.detach().double().requires_grad_() for one in (conv.weight, conv.bias))
    x = drawn(3, 4, height, width).requires_grad_()
    exact_x = x.detach().double().requires_grad_()
    y = conv(x)
    exact = functional.conv2d(exact_x, weight, bias, stride, conv.padding, dilation, groups=4)
    outgoing = drawn(*y.shape, seed=2)
    found = torch.autograd.grad(y, (x, conv.weight, conv.bias), outgoing)
    expected = torch.autograd.grad(exact, (exact_x, weight, bias), outgoing.double())
    with torch.no_grad():
        assert distance(conv(x), exact) < 1e-5
    for one, other in zip((y, *found), (exact, *expected), strict=True):
        assert distance(one, other) < 1e-5


@pytest.mark.parametrize(
    ("rows", "columns", "dilation"), [(1, 11, 1), (11, 1, 1), (51, 5, 1), (5, 51, 1), (13, 5, 1), (3, 7, 2), (7, 3, 3)]
)
def test_rectangles_are_computed_as_pytorch_computes_them(rows: int, columns: int, dilation: int) -> None:
    conv = DepthwiseConv(4, rows, columns=columns, dilation=dilation)
    exact = torch.nn.Conv2d(4, 4, (rows, columns), padding=conv.padding, dilation=dilation, groups=4).double()
    exact.load_state_dict({key: tensor.double() for key, tensor in conv.state_dict().items()})
    for height, width in ((12, 9), (1, 1), (30, 7)):
        x = drawn(2, 4, height, width).requires_grad_()
        y, expected = conv(x), exact(x.double())
        assert y.shape == x.shape
        assert distance(y.detach(), expected.detach()) < 1e-5
        outgoing = drawn(*y.shape, seed=2)
        found = torch.autograd.grad(y, (x, *conv.parameters()), outgoing)
        right = torch.autograd.grad(expected, (x, *exact.parameters()), outgoing.double())
        for one, other in zip(found, right, strict=True):
            assert distance(one, other.double()) < 1e-5


@pytest.mark.parametrize(("kernel", "dilation", "size"), [(3, 1, 4), (5, 1, 4), (13, 1, 8), (15, 1, 9), (7, 3, 10)])
def test_gradients_are_exact_to_the_second_order(kernel: int, dilation: int, size: int) -> None:
    x = drawn(2, 2, size, size).double().requires_grad_()
    weight = drawn(2, 1, kernel, kernel, seed=1).double().requires_grad_()
    bias = drawn(2, seed=2).double().requires_grad_()

    def compute(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return DepthwiseFunction.apply(x, weight, bias, dilation)

    assert torch.autograd.gradcheck(compute, (x, weight, bias), fast_mode=True)
    assert torch.autograd.gradgradcheck(compute, (x, weight, bias), fast_mode=True)


def test_only_what_is_asked_for_gets_a_gradient() -> None:
    conv, x = layer(7).requires_grad_(False), drawn(1, 4, 9, 9).requires_grad_()
    conv(x).sum().backward()
    assert x.grad is not None
    assert conv.weight.grad is None
    assert not conv(x.detach()).requires_grad


@pytest.mark.parametrize("kernel", [3, 7, 13, 31])
def test_autocast_leaves_it_in_float32(kernel: int) -> None:
    conv, x = layer(kernel), drawn(2, 4, 16, 16).requires_grad_()
    y = conv(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = conv(x)
        gradient = torch.autograd.grad(under.sum(), conv.weight)[0]
    assert under.dtype == torch.float32
    assert torch.equal(under, y)
    assert torch.equal(gradient, torch.autograd.grad(y.sum(), conv.weight)[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_work(dtype: torch.dtype) -> None:
    conv, x = layer(31).to(dtype), drawn(2, 4, 16, 16).to(dtype).requires_grad_()
    y = conv(x)
    y.sum().backward()
    assert y.dtype == dtype
    assert x.grad is not None


def test_its_state_is_that_of_a_convolution() -> None:
    conv = torch.nn.Conv2d(4, 4, 31, padding=15, groups=4)
    ours = DepthwiseConv(4, 31)
    ours.load_state_dict(conv.state_dict())
    x = drawn(1, 4, 12, 12)
    torch.testing.assert_close(ours(x), conv(x), rtol=1e-4, atol=1e-5)


_DIGEST = """
import hashlib, torch
from nas.layers.depthwise import DepthwiseConv
torch.set_num_threads(1)
torch.manual_seed(0)
digest = hashlib.sha256()
for kernel in (3, 7, 13, 31):
    conv, x = DepthwiseConv(16, kernel), torch.randn(4, 16, 20, 20, requires_grad=True)
    conv(x).square().sum().backward()
    for tensor in (conv.weight.grad, conv.bias.grad, x.grad):
        digest.update(tensor.contiguous().numpy().tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_two_processes_compute_the_same_bits() -> None:
    digests = {
        subprocess.run([sys.executable, "-c", _DIGEST], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1
