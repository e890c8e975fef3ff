"""Stochastic depth ('Deep Networks with Stochastic Depth', arXiv:1603.09382), per sample.

Differs from the paper as the ConvNeXt code does: the kept branches are scaled by 1 / (1 - rate) in training instead of
by 1 - rate at inference, and the linear rule runs from 0 at the first block to the full rate at the last.
"""

from __future__ import annotations

from torch import Tensor, nn


class DropPath(nn.Module):
    """Drops a residual branch of a sample with probability `rate` in training.

    The draws come from the default generator of the tensor's device, like `nn.Dropout`'s.
    """

    def __init__(self, rate: float) -> None:
        """Set the rate, in [0, 1)."""
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Shape kept."""
        if not self.training or self.rate == 0.0:
            return x
        keep = x.new_empty([x.shape[0]] + [1] * (x.ndim - 1)).bernoulli_(1 - self.rate)  # (N, 1, 1, 1)
        return x * (keep / (1 - self.rate))

    def extra_repr(self) -> str:
        """The rate, for `print(model)`."""
        return f"rate={self.rate:.3g}"


def drop_path_rates(rate: float, blocks: int) -> list[float]:
    """The rate of every block: linear from 0 at the first to `rate` at the last.

    Plain floats: a tensor's `linspace(...).item()` fails on the `meta` device.
    """
    return [rate * index / (blocks - 1) if blocks > 1 else 0.0 for index in range(blocks)]
