"""Round numbers along an axis."""

from __future__ import annotations

import math

_TICKS = 6


def ticks(low: float, high: float, *, least_step: float = 0.0) -> list[float]:
    """Round numbers that cover a range; `least_step` is 1 where only whole numbers mean something.

    >>> ticks(0.52, 0.98)
    [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    """
    if not high > low:
        low, high = low - 0.5, low + 0.5
    rough = max((high - low) / (_TICKS - 1), least_step)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * place, 12) for place in range(first, last + 1)]
