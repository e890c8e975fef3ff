"""LayerScale: a learned factor per channel on a residual branch (arXiv:2103.17239, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LayerScale(nn.Module):
    """Multiplies every channel by its own learned factor, `gamma` of shape (C,)."""

    def __init__(self, width: int, init: float) -> None:
        """All factors start at `init`."""
        super().__init__()
        self.init = init
        self.gamma = nn.Parameter(torch.full((width,), init))

    def reset_parameters(self) -> None:
        """Set all factors to their start value."""
        nn.init.constant_(self.gamma, self.init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return x * self.gamma[:, None, None]

    def extra_repr(self) -> str:
        """Width and start value, for `print(model)`."""
        return f"{self.gamma.numel()}, init={self.init:g}"
