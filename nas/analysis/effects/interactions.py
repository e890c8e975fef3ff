"""Pairs of decisions that are worth more, or less, together than each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import scipy  # its parts are imported on first use: together they take a second

from nas.analysis.effects.factors import factors, log_cost
from nas.analysis.effects.importance import holm
from nas.analysis.effects.model import FEWEST_FREE
from nas.analysis.effects.pairs import Pair, Tested, full_pairs
from nas.analysis.effects.table import CONFIDENCE
from nas.analysis.outcomes import Origin, Outcome

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One pair.

    Attributes:
        decisions: the two.
        size: standard deviation over the candidates of what the pair adds to both effects, in accuracy.
        p: adjusted p-value of its adding nothing (Holm over all pairs that were tested).
        values: the combination that it is worth most to, or costs most.
        effect: what that combination is worth beyond the two effects.
        low, high: interval; those of all combinations of all pairs hold together.
    """

    decisions: tuple[str, str]
    size: float
    p: float
    values: tuple[str, str]
    effect: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """The strongest pairs.

    Attributes:
        rows: by p-value.
        tested: pairs.
        doubt: why nothing can be told; empty where something can.
    """

    rows: tuple[Interaction, ...]
    tested: int
    doubt: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def interactions(rows: Sequence[Outcome], cost: str, *, confidence: float = CONFIDENCE) -> Interactions:
    """The pairs that the candidates drawn at random show, at equal cost; a sampler's choices are not used.

    Each pair is tested beside all single effects by an F test of the products of its columns.

    Args:
        rows: of one study and one rung.
        cost: metric to hold fixed.
        confidence: of all intervals together.
    """
    used = [row for row in rows if row.origin is Origin.RANDOM]
    found = factors([row.decisions for row in used])
    width = 3 + sum(len(one.levels) - 1 for one in found)
    if len(used) < width + FEWEST_FREE:
        return Interactions(
            rows=(),
            tested=0,
            doubt=f"{len(used)} random candidates for {width} terms; {width + FEWEST_FREE} are needed",
        )
    z = log_cost(np.array([row.cost[cost] for row in used], float))
    basis, _ = scipy.linalg.qr(
        np.hstack([np.ones((len(used), 1)), z, *(one.columns for one in found)]), mode="economic"
    )
    accuracy = np.array([row.accuracy for row in used])
    residuals = accuracy - basis @ (basis.T @ accuracy)
    free = len(used) - width
    tried = [(pair, pair.test(basis, residuals, free)) for pair in full_pairs(found)]
    tested = [(pair, test) for pair, test in tried if test is not None]
    cells = sum(len(pair.cells) for pair, _ in tested)
    described = [_described(pair, test, free, tail=(1 - confidence) / max(cells, 1)) for pair, test in tested]
    adjusted = holm([test.p for _, test in tested])
    described = [replace(row, p=p) for row, p in zip(described, adjusted, strict=True)]
    return Interactions(rows=tuple(sorted(described, key=lambda one: (one.p, -one.size))[:SHOWN]), tested=len(tested))


def _described(pair: Pair, test: Tested, free: int, *, tail: float) -> Interaction:
    """A pair with its strongest combination; the p-value is its own."""
    rows = pair.rows()
    effects = rows @ test.weights
    errors = np.linalg.norm(scipy.linalg.solve_triangular(test.root, rows.T, trans="T"), axis=0) * np.sqrt(test.noise)
    place = int(np.argmax(np.abs(effects) / np.maximum(errors, 1e-12)))
    half = float(scipy.stats.t.isf(tail / 2, free - pair.columns.shape[1]) * errors[place])
    a, b = pair.cells[place]
    return Interaction(
        decisions=(pair.one.name, pair.other.name),
        size=float((pair.columns @ test.weights).std()),
        p=test.p,
        values=(pair.one.levels[a].label, pair.other.levels[b].label),
        effect=float(effects[place]),
        low=float(effects[place]) - half,
        high=float(effects[place]) + half,
    )
