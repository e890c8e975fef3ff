from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nas.data import DataSet, load_data
from nas.layers import DropPath


class TinyNet(nn.Module):
    """A residual network for 8x8 images, a few thousand parameters, with everything a recipe talks about."""

    def __init__(self, channels: int = 1, width: int = 16, drop_path: float = 0.2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 2, stride=2)
        self.norm = nn.BatchNorm2d(width)
        self.block = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.GELU(), DropPath(drop_path))
        self.head = nn.Linear(width * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x))
        x = x + self.block(x)
        logits: Tensor = self.head(x.flatten(1))
        return logits


@pytest.fixture
def tiny_net() -> Callable[[], nn.Module]:
    """Makes a tiny network; always the same weights."""

    def make() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            return TinyNet()

    return make


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    cache: Path = tmp_path_factory.mktemp("cache")
    return load_data("digits", resolution=8, cache=cache)
