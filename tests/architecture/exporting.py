"""What a network must do to be exported."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def images(size: int = 64) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))


@contextmanager
def only_our_warnings() -> Iterator[None]:
    """Silence what PyTorch's own exporter and compiler deprecate in each other."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, UserWarning):
            warnings.filterwarnings("ignore", category=category, module=r"torch\..*|copyreg|importlib.*")
        yield


def assert_exports(network: nn.Module) -> None:
    sides = torch.export.Dim("side", min=2, max=16) * 32
    with only_our_warnings():
        exported = torch.export.export(network, (images(),), dynamic_shapes=({2: sides, 3: sides},)).module()
    with torch.no_grad():
        for size in (64, 96):
            torch.testing.assert_close(exported(images(size)), network(images(size)), rtol=1e-4, atol=1e-5)
