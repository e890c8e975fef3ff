"""Which values the best networks have, and how sure that is: the empirical bootstrap of the RegNet papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nas.analysis.effects.factors import NOT_ASKED, Factor, factors
from nas.analysis.effects.importance import FEWEST, at_equal_cost, looked_at
from nas.analysis.outcomes import Outcome

_REPLICATES = 10_000
_SHARE = 0.25
_COVERED = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class BestValues:
    """One decision.

    Attributes:
        decision: its name.
        best: the value that the best network has most often.
        likely: the fewest values, in their order, that the best has in 95 of 100 draws.
        shares: of all values, how often the best has it; of the draws whose best network has the decision.
        is_narrow: whether `likely` leaves a value out.
    """

    decision: str
    best: str
    likely: tuple[str, ...]
    shares: dict[str, float]
    is_narrow: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def best_values(rows: Sequence[Outcome], cost: str, *, seed: int = 0) -> list[BestValues]:
    """The values of the best network at equal cost, in each of many draws of a quarter of the networks.

    I. Radosavovic et al., arXiv:2003.13678, section 3.1. Differs from the paper: 'the best' is at equal cost, and each
    range is of whole values instead of an interval of numbers. Networks drawn at random are used where there are enough
    of them; for fewer than 30 networks the list is empty.

    Args:
        rows: of one study and one rung.
        cost: metric to hold fixed.
        seed: of the draws.
    """
    used = looked_at(rows)
    if len(used) < FEWEST:
        return []
    scores = at_equal_cost(used, cost)
    drawn = np.random.default_rng(seed).integers(len(used), size=(_REPLICATES, max(2, round(_SHARE * len(used)))))
    winners = drawn[np.arange(_REPLICATES), scores[drawn].argmax(1)]
    return [_described(one, winners) for one in factors([row.decisions for row in used])]


def _described(factor: Factor, winners: np.ndarray[Any, np.dtype[np.intp]]) -> BestValues:
    codes = factor.codes[winners]
    counts = np.bincount(codes[codes != NOT_ASKED], minlength=len(factor.levels))
    shares = counts / max(int(counts.sum()), 1)
    likely: set[int] = set()
    for place in np.argsort(-shares, kind="stable"):
        if shares[sorted(likely)].sum() >= _COVERED:
            break
        likely.add(int(place))
    labels = [level.label for level in factor.levels]
    return BestValues(
        decision=factor.name,
        best=labels[int(shares.argmax())],
        likely=tuple(labels[place] for place in sorted(likely)),
        shares={label: float(share) for label, share in zip(labels, shares, strict=True)},
        is_narrow=len(likely) < len(labels),
    )
