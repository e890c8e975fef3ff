"""Our networks against the plain way of writing them: one run, one table, repeats that take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import torch
from plain_networks import PLAIN, take_weights
from timing import in_turn
from torch import nn

from nas.architecture import build
from nas.space import load_architecture

pytestmark = [pytest.mark.benchmark, pytest.mark.usefixtures("one_thread"), pytest.mark.timeout(3600)]

NOISE = 1.05
REPEATS = {"replknet_31b": 2}  # the plain one takes half a minute for a step of batch 8; else 4
AT_LEAST = {"replknet_31b": 5.0}


class Row(NamedTuple):
    """Seconds of the process's CPU time, the least of all repeats."""

    name: str
    batch: int
    work: str
    ours: float
    plain: float

    @property
    def ratio(self) -> float:
        return self.ours / self.plain

    def __str__(self) -> str:
        return (
            f"{self.name:14} {self.batch:5} {self.work:16} {self.ours * 1e3:10.0f} {self.plain * 1e3:10.0f}"
            f" {self.ratio:6.2f} {1 / self.ratio:8.1f}x"
        )


HEADER = f"{'network':14} {'batch':>5} {'work':16} {'ours, ms':>10} {'plain, ms':>10} {'ratio':>6} {'faster':>9}"


def forward(network: nn.Module, images: torch.Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.no_grad():
            return network.eval()(images)

    return run


def forward_and_backward(network: nn.Module, images: torch.Tensor) -> Callable[[], object]:
    def run() -> None:
        network.train().zero_grad()
        network(images).square().mean().backward()

    return run


def rows(name: str) -> Iterator[Row]:
    torch.manual_seed(0)
    ours, plain = build(load_architecture(name)), PLAIN[name]()
    take_weights(plain, ours)
    for batch in (1, 8):
        images = torch.randn(batch, 3, 224, 224)
        if batch == 1:
            torch.testing.assert_close(forward(ours, images)(), forward(plain, images)(), rtol=1e-3, atol=1e-4)
        for work in (forward, forward_and_backward):
            times = in_turn(work(ours, images), work(plain, images), repeats=REPEATS.get(name, 4))
            yield Row(name, batch, work.__name__.replace("_and_", "+"), *times)


@pytest.mark.parametrize("name", PLAIN)
def test_our_networks_are_never_slower_than_the_plain_ones(name: str) -> None:
    print(f"\n{HEADER}")
    table = []
    for row in rows(name):
        print(row, flush=True)
        table.append(row)
    assert all(row.ratio <= NOISE for row in table)
    assert max(1 / row.ratio for row in table if row.batch == 8) >= AT_LEAST.get(name, 1 / NOISE)
