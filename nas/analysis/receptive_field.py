"""How far an effective receptive field reaches: the centred squares that hold given shares of the contribution.

RepLKNet (arXiv:2203.06717, appendix on effective receptive fields; `erf/analyze_erf.py` of its repository) takes the
logarithm of the contributions first, for readability, and measures the squares on that. It flattens the peak, so the
squares are larger than those of the contributions themselves, and depend on the scale of the gradient. Here both are
measured.

The paper's squares are around the middle of the image. The middle point of a last map looks a little aside of it: at a
stride of 32 by up to 16 pixels, of 1024 in the paper, but of 224 or 96 here. Ours are around the middle of the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]

SHARES = (0.2, 0.3, 0.5, 0.99)
"""Shares of the contribution in the paper's table."""


class Square(NamedTuple):
    """A square around the middle of a field.

    Attributes:
        share: of the contribution that it holds at least.
        side: in pixels.
        area: share of the image that it covers, in (0, 1].
    """

    share: float
    side: int
    area: float


def logarithmic(field: Field) -> Field:
    """log10(contribution + 1) of every pixel (H, W), as RepLKNet draws and measures it."""
    return np.log10(field + 1)


def middle_of(field: Field) -> tuple[int, int]:
    """Row and column of the middle of a field (H, W): half of it lies on either side, in both directions."""
    row, column = (int(np.searchsorted(np.cumsum(field.sum(axis)), field.sum() / 2)) for axis in (1, 0))
    return row, column


def smallest_squares(field: Field, shares: Sequence[float] = SHARES) -> tuple[Square, ...]:
    """The smallest square around the middle of a field (H, W) that holds each share of it.

    Where the paper's code begins with a side of 3, this one begins with 1. What of a square is outside of the image is
    no part of its area.

    Raises:
        ValueError: the field holds nothing, or something negative or not finite.
    """
    total = field.sum()
    if not (np.isfinite(total) and total > 0 and field.min() >= 0):
        raise ValueError("a receptive field has finite contributions of at least 0, not all of them 0")
    row, column = middle_of(field)
    rows, columns = np.abs(np.arange(field.shape[0]) - row), np.abs(np.arange(field.shape[1]) - column)
    distance = np.maximum(rows[:, None], columns[None, :]).ravel()
    within = np.cumsum(np.bincount(distance, weights=field.ravel())) / total
    pixels = np.cumsum(np.bincount(distance))
    squares = []
    for share in shares:
        reach = int(np.argmax(within >= min(share, within[-1])))
        squares.append(Square(share, 2 * reach + 1, float(pixels[reach] / field.size)))
    return tuple(squares)
