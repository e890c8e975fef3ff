"""Mean and deviation of the channels of many images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_BLOCK_BYTES = 2**24


def blocks_of(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """An array, perhaps a mapped file, in blocks along its first axis that fit in memory."""
    rows = max(1, _BLOCK_BYTES // max(1, images[:1].nbytes))
    return (images[start : start + rows] for start in range(0, len(images), rows))


def channel_statistics(blocks: Iterable[NDArray[np.uint8]], channels: int) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of every channel of blocks (N, C, H, W), of values scaled to [0, 1].

    Exact: from counts of the 256 values. A constant channel gets the deviation of one gray level, never 0.
    """
    counts = np.zeros((channels, 256), dtype=np.int64)
    for block in blocks:
        for channel in range(channels):
            counts[channel] += np.bincount(block[:, channel].ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = (counts * values).sum(1) / counts.sum(1)
    variance = (counts * (values - mean[:, None]) ** 2).sum(1) / counts.sum(1)
    return mean.tolist(), np.maximum(np.sqrt(variance), 1 / 255).tolist()
