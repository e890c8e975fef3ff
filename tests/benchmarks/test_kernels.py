"""Depthwise, partial and grouped convolutions of the mixers against PyTorch's own in both memory formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from timing import in_turn
from torch import Tensor, nn

from nas.layers import mixers
from nas.layers.base import Site

pytestmark = [pytest.mark.benchmark, pytest.mark.usefixtures("one_thread"), pytest.mark.timeout(3600)]

BATCH, REPEATS = 8, 7
NOISE = 1.3
"""By which two times of the same work may differ on a machine that others use."""


class Work(NamedTuple):
    """A mixer at a place, and what somebody would write in its place.

    Attributes:
        name: in the table.
        mixer: as in a space file.
        width: channels.
        size: side of the map in pixels.
        stock: the module of torch's own parts.
    """

    name: str
    mixer: dict[str, Any]
    width: int
    size: int
    stock: Callable[[], nn.Module]

    def __str__(self) -> str:
        return f"{self.name}, {self.size}x{self.size}x{self.width}"


class Partial(nn.Module):
    """FasterNet's mixer as its authors wrote it: a convolution of the first channels, the others untouched."""

    def __init__(self, width: int, part: int) -> None:
        super().__init__()
        self.widths = [part, width - part]
        self.part = nn.Conv2d(part, part, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        cut, rest = torch.split(x, self.widths, dim=1)
        return torch.cat([self.part(cut), rest], dim=1)


def conv(
    width: int, rows: int, columns: int, *, dilation: int = 1, groups: int | None = None, bias: bool = True
) -> nn.Module:
    padding = (dilation * (rows // 2), dilation * (columns // 2))
    return nn.Conv2d(
        width, width, (rows, columns), padding=padding, dilation=dilation, groups=groups or width, bias=bias
    )


def depthwise(width: int, size: int, kernel: int, columns: int | None = None, dilation: int = 1) -> Work:
    name = f"depthwise {kernel}x{columns or kernel}" + f", dilation {dilation}" * (dilation > 1)
    written = {"kind": "depthwise", "kernel": kernel, "columns": columns, "dilation": dilation}
    return Work(name, written, width, size, lambda: conv(width, kernel, columns or kernel, dilation=dilation))


def inception(width: int, size: int) -> Work:
    return Work("Inception's bands", {"kind": "inception"}, width, size, lambda: Bands(width, width // 8))


class Bands(nn.Module):
    """InceptionNeXt's mixer as its authors wrote it."""

    def __init__(self, width: int, share: int) -> None:
        super().__init__()
        self.widths = [width - 3 * share, share, share, share]
        self.parts = nn.ModuleList(conv(share, rows, columns) for rows, columns in ((3, 3), (1, 11), (11, 1)))

    def forward(self, x: Tensor) -> Tensor:
        rest, *cuts = torch.split(x, self.widths, dim=1)
        return torch.cat([rest, *(part(cut) for part, cut in zip(self.parts, cuts, strict=True))], dim=1)


def partial(width: int, size: int) -> Work:
    return Work("partial 3x3, a quarter", {"kind": "split"}, width, size, lambda: Partial(width, width // 4))


def grouped(width: int, size: int, group: int) -> Work:
    mixer = {"kind": "grouped", "group_width": group}
    name = f"3x3 in groups of {group}"
    return Work(name, mixer, width, size, lambda: conv(width, 3, 3, groups=width // group, bias=False))


WORKS = [
    *(depthwise(96, 56, kernel) for kernel in (3, 5, 7, 13, 31)),
    *(depthwise(384, 14, kernel) for kernel in (3, 5, 7, 9, 11, 13)),
    *(depthwise(96, 28, rows, columns) for rows, columns in ((1, 11), (11, 1), (7, 3))),
    *(depthwise(64, 56, rows, columns) for rows, columns in ((51, 5), (5, 51))),
    depthwise(256, 7, 13, 5),
    *(depthwise(192, 28, kernel, dilation=dilation) for kernel, dilation in ((3, 2), (5, 2), (7, 2), (7, 3))),
    depthwise(384, 14, 7, dilation=2),
    *(inception(width, size) for width, size in ((96, 28), (384, 14))),
    *(partial(width, size) for width, size in ((96, 28), (384, 14))),
    *(grouped(width, size, group) for width, size, group in ((128, 56, 4), (96, 28, 8), (160, 28, 16), (384, 14, 24))),
]


def step(module: nn.Module, work: Work, memory_format: torch.memory_format, *, backward: bool) -> Callable[[], object]:
    """A forward pass, perhaps with both gradients, on a map in a memory format."""
    module = module.to(memory_format=memory_format).train(backward)
    x = torch.randn(BATCH, work.width, work.size, work.size).to(memory_format=memory_format).requires_grad_(backward)
    outgoing = torch.randn(x.shape).to(memory_format=memory_format)

    def run() -> object:
        if not backward:
            with torch.no_grad():
                return module(x)
        return torch.autograd.grad(module(x), [x, *module.parameters()], outgoing)

    run()
    return run


def times(work: Work, *, backward: bool) -> list[float]:
    """Milliseconds of ours, and of the stock one in NCHW and NHWC."""
    site = Site(work.width, work.width, work.size)
    ours = step(mixers.read(work.mixer).build(site), work, torch.channels_last, backward=backward)
    stock = [step(work.stock(), work, one, backward=backward) for one in (torch.contiguous_format, torch.channels_last)]
    return [1e3 * seconds for seconds in in_turn(ours, *stock, repeats=REPEATS)]


@pytest.fixture(scope="module")
def table(pytestconfig: pytest.Config) -> Iterator[list[str]]:
    """Rows of the table that is printed at the end."""
    rows: list[str] = []
    yield rows
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n| mixer, map | NCHW | NHWC | ours | gain | NCHW | NHWC | ours | gain |\n" + "|---|" + "--:|" * 8)
        print("\n".join(rows))


@pytest.mark.parametrize("work", WORKS, ids=str)
def test_no_convolution_trains_slower_than_stock(work: Work, table: list[str]) -> None:
    """By the process's CPU time, one thread; a slow one is looked at again, for others use the machine.

    A forward pass alone may be: networks stay in NHWC, and some kernels are up to a third faster in NCHW by themselves.
    """
    cells = []
    for backward in (False, True):
        found = times(work, backward=backward)
        if found[0] > NOISE * min(found[1:]):
            found = [min(pair) for pair in zip(found, times(work, backward=backward), strict=True)]
        ours, nchw, nhwc = found
        cells += [f"{nchw:.1f}", f"{nhwc:.1f}", f"{ours:.1f}", f"{min(nchw, nhwc) / ours:.2f}"]
    table.append(f"| {work} | {' | '.join(cells)} |")
    assert ours <= NOISE * min(nchw, nhwc), f"{ours:.2f} against {min(nchw, nhwc):.2f} ms, forward and backward"
