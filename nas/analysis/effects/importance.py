"""How much each decision decides whether a candidate is among the best at its cost: conditional PED-ANOVA.

S. Watanabe, A. Bansal and F. Hutter, 'PED-ANOVA', arXiv:2304.10255; K. Baba, Y. Ozaki and S. Watanabe, 'Conditional
PED-ANOVA', arXiv:2601.20800: the variance of the chance to be among the best shares by the decision alone, within those
candidates for which it is asked; whether it is asked at all is credited to the decision that leads there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nas.analysis.effects.factors import NOT_ASKED, Factor, Table, factors, log_cost
from nas.analysis.outcomes import Origin, Outcome
from nas.analysis.ranking import Values

TARGET = 0.1
"""The best share of the candidates, at equal cost."""
FEWEST = 30
"""Candidates below which nothing is said: three would be the best tenth."""
_PERMUTATIONS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """One decision.

    Attributes:
        decision: its name.
        importance: share of the sum over all decisions, in [0, 1].
        value: before it was made a share; variance of a probability.
        by_chance: what a decision of no importance with these values reaches in 95 of 100 random orders.
        p: how often a random order reaches as much, adjusted for the number of decisions (Holm).
        candidates: for which it is asked.
    """

    decision: str
    importance: float
    value: float
    by_chance: float
    p: float
    candidates: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Importances:
    """Every decision, the surest first: one with many values has more importance by chance.

    Attributes:
        rows: of the decisions.
        origin: `RANDOM` where all candidates that were used are, so that the space is described; `CHOSEN` where the
            choice of the sampler is in it.
        candidates: that were used.
        target: the share that counts as the best.
    """

    rows: tuple[Importance, ...]
    origin: Origin
    candidates: int
    target: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def importances(rows: Sequence[Outcome], cost: str, *, target: float = TARGET, seed: int = 0) -> Importances | None:
    """Importance of every decision for being among the best at equal cost; None for too few candidates.

    'At equal cost': candidates are ranked by what accuracy is left after a parabola in the logarithm of the cost.
    Those drawn at random are used where there are enough of them, or else all.

    Args:
        rows: of one study and one rung.
        cost: metric to hold fixed.
        target: share of the best, in (0, 1).
        seed: of the random orders.
    """
    used = looked_at(rows)
    if len(used) < FEWEST:
        return None
    found = factors([row.decisions for row in used])
    best = _best(at_equal_cost(used, cost), target)
    orders = np.random.default_rng(seed).permuted(np.tile(best, (_PERMUTATIONS, 1)), axis=1).T  # (n, permutations)
    values = [float(_variance(one, best[:, None].astype(float))[0]) for one in found]
    chances = [_variance(one, orders.astype(float)) for one in found]
    total = sum(values) or 1.0
    p = holm(
        [
            (1 + int((chance >= value).sum())) / (1 + _PERMUTATIONS)
            for value, chance in zip(values, chances, strict=True)
        ]
    )
    described = [
        Importance(
            decision=one.name,
            importance=value / total,
            value=value,
            by_chance=float(np.quantile(chance, 0.95)),
            p=adjusted,
            candidates=int((one.codes != NOT_ASKED).sum()),
        )
        for one, value, chance, adjusted in zip(found, values, chances, p, strict=True)
    ]
    origin = Origin.RANDOM if all(row.origin is Origin.RANDOM for row in used) else Origin.CHOSEN
    ranked = sorted(described, key=lambda one: (one.p, -one.value))
    return Importances(rows=tuple(ranked), origin=origin, candidates=len(used), target=target)


def looked_at(rows: Sequence[Outcome]) -> list[Outcome]:
    """The candidates that importances are of: those drawn at random where there are enough of them, or else all."""
    random = [row for row in rows if row.origin is Origin.RANDOM]
    return random if len(random) >= FEWEST else list(rows)


def at_equal_cost(rows: Sequence[Outcome], cost: str) -> Values:
    """(n,) accuracy less what a parabola in the logarithm of the cost explains."""
    accuracy = np.array([row.accuracy for row in rows])
    columns = np.hstack([np.ones((len(rows), 1)), log_cost(np.array([row.cost[cost] for row in rows], float))])
    return np.asarray(accuracy - columns @ np.linalg.lstsq(columns, accuracy, rcond=None)[0])


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted by S. Holm's step-down method (Scandinavian Journal of Statistics 6(2), 1979)."""
    order = sorted(range(len(p)), key=lambda place: p[place])
    adjusted, highest = [1.0] * len(p), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = highest
    return adjusted


def _best(scores: Values, target: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    count = max(3, round(target * len(scores)))
    return np.asarray(scores >= np.sort(scores)[-count])


def _variance(factor: Factor, best: Table) -> Values:
    """(k,) for k columns of indicators (n, k): E over regimes of the variance of P(best | value).

    In the only regime where it is asked, of weight a: a Var(b_v) over the values v by their frequencies, with b_v the
    share of the best among the candidates with v; (1/a) (g a')^2 chi^2(p' | p) in the terms of the paper.
    """
    asked = factor.codes != NOT_ASKED
    member = (factor.codes[:, None] == np.arange(len(factor.levels))).astype(float)  # (n, levels)
    counts = member.sum(0)
    share = (member.T @ best) / counts[:, None]  # (levels, k)
    weights = counts / counts.sum()
    mean = weights @ share
    return np.asarray(asked.mean() * (weights @ (share - mean) ** 2))
