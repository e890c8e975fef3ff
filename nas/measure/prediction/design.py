"""Which networks to measure: inside the budget, every option of every decision among them."""

from __future__ import annotations

import numpy as np

from nas.space.feasible import Codes, FeasibleSet

_POOL = 20  # candidates for each network that is chosen


def spread(feasible: FeasibleSet, n: int, rng: np.random.Generator) -> Codes:
    """`n` points (n, decisions) with different architectures, whose options are as evenly met as may be.

    Greedy: each is the one of many uniform draws whose answers were met least often so far.

    Raises:
        BudgetError: there are not as many.
    """
    pool = _pool(feasible, n, rng)
    values = int(pool.max()) + 2
    met = np.zeros((pool.shape[1], values))
    columns = np.arange(pool.shape[1])
    left = np.ones(len(pool), bool)
    chosen: list[int] = []
    for _ in range(n):
        gain = (1.0 / (1.0 + met[columns, pool])).sum(axis=1)
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        left[best] = False
        met[columns, pool[best]] += 1
        chosen.append(best)
    return pool[chosen]


def _pool(feasible: FeasibleSet, n: int, rng: np.random.Generator) -> Codes:
    from nas.errors import BudgetError

    try:
        return feasible.draw(_POOL * n, rng)
    except BudgetError:  # a small set
        return feasible.draw(n, rng)
