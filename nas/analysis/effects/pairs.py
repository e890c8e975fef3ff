"""Two decisions together: the products of their columns, and whether they say more than both by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import scipy  # its parts are imported on first use: together they take a second

from nas.analysis.effects.factors import NOT_ASKED, Factor, Table
from nas.analysis.ranking import Values

_FEWEST_OF_A_CELL = 3
_MOST_STRONG = 8
_DOUBT = 0.2  # family-wise; a pair too many costs a little width, one too few the truth of the intervals


class Tested(NamedTuple):
    """An F test of a pair beside other columns.

    Attributes:
        p: of its adding nothing.
        weights: of its columns.
        root: (w, w) upper triangular, with root' root the information about the weights.
        noise: variance of what is left.
    """

    p: float
    weights: Values
    root: Table
    noise: float


class Pair:
    """Two decisions, over candidates of which some have both.

    Attributes:
        one, other: the decisions.
        cells: every combination of their levels.
        columns: (n, w) products of their columns.
    """

    def __init__(self, one: Factor, other: Factor) -> None:
        """Nothing is tested yet."""
        self.one, self.other = one, other
        self.cells = list(product(range(len(one.levels)), range(len(other.levels))))
        first, second = one.columns, other.columns
        self.columns: Table = (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)

    @property
    def is_full(self) -> bool:
        """Whether every combination was seen often enough."""
        both = (self.one.codes != NOT_ASKED) & (self.other.codes != NOT_ASKED)
        codes = self.one.codes[both] * len(self.other.levels) + self.other.codes[both]
        return int(np.bincount(codes, minlength=len(self.cells)).min()) >= _FEWEST_OF_A_CELL

    def rows(self) -> Table:
        """(cells, w): for each combination what makes its worth out of the weights."""
        return np.stack([np.kron(self.one.contrasts[a], self.other.contrasts[b]) for a, b in self.cells])

    def test(self, basis: Table, residuals: Values, free: int) -> Tested | None:
        """Beside what an orthonormal basis (n, r) holds; None where that says the same already, or too few are left.

        Args:
            basis: of the columns that are there.
            residuals: (n,) what they leave.
            free: degrees of freedom of that.
        """
        width = self.columns.shape[1]
        if width >= free // 2:
            return None
        q, root = scipy.linalg.qr(self.columns - basis @ (basis.T @ self.columns), mode="economic")
        if np.abs(np.diag(root)).min() < 1e-6 * np.sqrt(len(residuals)):
            return None
        explained = q.T @ residuals
        gained, left = float(explained @ explained), float(residuals @ residuals)
        noise = max((left - gained) / (free - width), 1e-300)
        p = float(scipy.stats.f.sf(gained / width / noise, width, free - width))
        return Tested(p, scipy.linalg.solve_triangular(root, explained), root, noise)


def full_pairs(found: Sequence[Factor]) -> list[Pair]:
    """Those of which every combination was seen."""
    return [pair for pair in (Pair(one, other) for one, other in combinations(found, 2)) if pair.is_full]


def strong_pairs(found: Sequence[Factor], columns: Table, y: Values) -> list[Pair]:
    """The pairs that stand out, one after the other, beside the columns (n, p) and those before.

    Random interactions of one variance, as a model of many small ones, take a single large one for less than it is.
    """
    waiting, strong = full_pairs(found), list[Pair]()
    count = len(waiting)
    while waiting and len(strong) < _MOST_STRONG:
        basis, _ = scipy.linalg.qr(np.hstack([columns, *(pair.columns for pair in strong)]), mode="economic")
        residuals, free = y - basis @ (basis.T @ y), len(y) - basis.shape[1]
        tests = [(test.p, place) for place, pair in enumerate(waiting) if (test := pair.test(basis, residuals, free))]
        p, place = min(tests, default=(1.0, 0))
        if p * count > _DOUBT:
            break
        strong.append(waiting.pop(place))
    return strong
