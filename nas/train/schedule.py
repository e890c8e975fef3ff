"""Learning-rate schedules as functions of progress, so that a run of 5 epochs and one of 300 share them."""

from __future__ import annotations

import math


def cosine(progress: float, *, warmup: float = 0.0, floor: float = 0.0) -> float:
    """Factor of the learning rate: a linear rise over `warmup`, then half a cosine down to `floor`.

    Half a cosine: 'SGDR' (arXiv:1608.03983), without restarts.

    Args:
        progress: share of the training that is done, in [0, 1].
        warmup: share of the training that the rise takes, in [0, 1).
        floor: the factor at the end, in [0, 1].
    """
    if progress < warmup:
        return progress / warmup
    descent = (progress - warmup) / (1 - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * descent)) / 2
