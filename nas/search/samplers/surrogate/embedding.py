"""Decisions as points whose squared distances count how much two candidates differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas.space.dimension import Dimension
from nas.space.feasible import NOT_ASKED, Codes

Array = NDArray[np.float64]

_GAP = 0.5  # the ordered columns of a decision that does not arise: as far from one end as from the other


class Embedding:
    """Maps codes to features whose weighted squared distance is a weighted distance of the decisions.

    Two answers to a decision are 1 apart if it has no order (Hamming), otherwise the share of the whole range that lies
    between their ranks; a question that is not asked is 1 apart from every answer. Both are sums of squares: of one-hot
    columns halved, and of thermometer columns (one for each step of the range, on from there). So distances between
    many candidates are one matrix product, and the exponential of a negative distance is positive definite, being a
    Gaussian of the features.

    Attributes:
        decisions: how many there are.
        decision: the one that each feature belongs to (features,).
        scale: by which the feature's squared differences count (features,), before the weight of its decision.
    """

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        """One group of features for each decision."""
        tables = [_features(one) for one in dimensions]
        self.decisions = len(tables)
        self.decision: NDArray[np.intp] = np.repeat(np.arange(len(tables)), [table.shape[1] for table in tables])
        self.scale: Array = np.concatenate([_scale(one) for one in dimensions] or [np.empty(0)])
        most = max((len(table) for table in tables), default=0)
        padded = [np.pad(table, ((0, most - len(table)), (0, 0))) for table in tables]
        self._of_code: Array = np.concatenate(padded, axis=1) if padded else np.empty((0, 0))
        self._features = np.arange(self._of_code.shape[1])

    def features(self, codes: Codes) -> Array:
        """The features (n, features) of candidates (n, decisions)."""
        return np.asarray(self._of_code[codes[:, self.decision] - NOT_ASKED, self._features])


def _is_ranked(dimension: Dimension) -> bool:
    """Whether ranks say more than being equal or not."""
    return dimension.is_ordered and len(dimension) > 2


def _scale(dimension: Dimension) -> Array:
    if not _is_ranked(dimension):
        return np.full(len(dimension) + 1, 0.5)
    steps = len(dimension) - 1
    return np.append(np.full(steps, 1 / steps), 1 - _GAP**2)


def _features(dimension: Dimension) -> Array:
    """The features of each code (codes, features), NOT_ASKED being the first."""
    codes = np.arange(NOT_ASKED, len(dimension))
    if not _is_ranked(dimension):
        return np.eye(len(codes))
    steps = np.greater_equal(codes[:, None], np.arange(1, len(dimension))).astype(float)
    steps[codes == NOT_ASKED] = _GAP
    return np.column_stack([steps, codes == NOT_ASKED])
