"""Pairs of decisions that are worth more, or less, together than each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from scipy import linalg, stats

from nas.analysis.effects.factors import NOT_ASKED, Factor, Table, factors, log_cost
from nas.analysis.effects.importance import holm
from nas.analysis.effects.model import FEWEST_FREE
from nas.analysis.effects.table import CONFIDENCE
from nas.analysis.outcomes import Origin, Outcome
from nas.analysis.ranking import Values

SHOWN = 10
_FEWEST_OF_A_CELL = 3


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
    basis, _ = linalg.qr(np.hstack([np.ones((len(used), 1)), z, *(one.columns for one in found)]), mode="economic")
    accuracy = np.array([row.accuracy for row in used])
    residuals = accuracy - basis @ (basis.T @ accuracy)
    free = len(used) - width
    tested = [pair for pair in map(_Pair, combinations(found, 2)) if pair.columns.shape[1] and pair.width < free // 2]
    cells = sum(len(pair.cells) for pair in tested)
    for pair in tested:
        pair.test(basis, residuals, free, tail=(1 - confidence) / max(cells, 1))
    adjusted = holm([pair.p for pair in tested])
    ranked = sorted(zip(adjusted, tested, strict=True), key=lambda one: (one[0], -one[1].size))
    return Interactions(rows=tuple(pair.row(p) for p, pair in ranked[:SHOWN]), tested=len(tested))


class _Pair:
    """Two decisions and the products of their columns, over the candidates that have both."""

    def __init__(self, pair: tuple[Factor, Factor]) -> None:
        self._one, self._other = pair
        first, second = self._one.columns, self._other.columns
        both = (self._one.codes != NOT_ASKED) & (self._other.codes != NOT_ASKED)
        seen = set(zip(self._one.codes[both].tolist(), self._other.codes[both].tolist(), strict=True))
        every = list(product(range(len(self._one.levels)), range(len(self._other.levels))))
        counts = {cell: int(((self._one.codes == cell[0]) & (self._other.codes == cell[1])).sum()) for cell in every}
        is_full = len(seen) == len(every) and min(counts.values()) >= _FEWEST_OF_A_CELL
        self.cells = every if is_full else []
        self.columns: Table = (
            (first[:, :, None] * second[:, None, :]).reshape(len(first), -1) if is_full else np.zeros((len(first), 0))
        )
        self.p, self.size = 1.0, 0.0

    @property
    def width(self) -> int:
        """Terms."""
        return int(self.columns.shape[1])

    def test(self, basis: Table, residuals: Values, free: int, *, tail: float) -> None:
        """Fit the products beside what `basis` holds."""
        beside = self.columns - basis @ (basis.T @ self.columns)
        q, r = linalg.qr(beside, mode="economic")
        if np.abs(np.diag(r)).min() < 1e-6 * np.sqrt(len(residuals)):  # other decisions say the same already
            self._row: tuple[tuple[int, int], float, float] = (self.cells[0], 0.0, 0.0)
            return
        explained = q.T @ residuals
        gained, left = float(explained @ explained), float(residuals @ residuals)
        noise = (left - gained) / (free - self.width)
        self.p = float(stats.f.sf(gained / self.width / noise, self.width, free - self.width))
        weights = linalg.solve_triangular(r, explained)
        self.size = float((self.columns @ weights).std())
        rows = np.stack([np.kron(self._one.contrasts[a], self._other.contrasts[b]) for a, b in self.cells])
        effects = rows @ weights
        errors = np.linalg.norm(linalg.solve_triangular(r, rows.T, trans="T"), axis=0) * np.sqrt(noise)
        place = int(np.argmax(np.abs(effects) / np.maximum(errors, 1e-12)))
        half = float(stats.t.isf(tail / 2, free - self.width) * errors[place])
        self._row = (self.cells[place], float(effects[place]), half)

    def row(self, p: float) -> Interaction:
        """Once it was tested."""
        (a, b), effect, half = self._row
        return Interaction(
            decisions=(self._one.name, self._other.name),
            size=self.size,
            p=p,
            values=(self._one.levels[a].label, self._other.levels[b].label),
            effect=effect,
            low=effect - half,
            high=effect + half,
        )
