"""Decisions as points whose squared distances count how much two candidates differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas.search.domain import NOT_ASKED, Codes
from nas.space.dimension import Dimension

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
        decision: the decision that each feature belongs to (features,).
        scale: by which the feature's squared differences count (features,), before the weight of its decision.
    """

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        """One group of features for each decision."""
        self._dimensions = tuple(dimensions)
        widths = [len(one) + 1 if not _is_ranked(one) else len(one) for one in self._dimensions]
        self.decision: NDArray[np.intp] = np.repeat(np.arange(len(widths)), widths)
        self.scale: Array = np.concatenate([_scale(one) for one in self._dimensions] or [np.empty(0)])

    @property
    def decisions(self) -> int:
        """How many decisions there are."""
        return len(self._dimensions)

    def features(self, codes: Codes) -> Array:
        """The features (n, features) of candidates (n, decisions)."""
        columns = [_features(one, codes[:, place]) for place, one in enumerate(self._dimensions)]
        return np.concatenate(columns, axis=1) if columns else np.empty((len(codes), 0))


def _is_ranked(dimension: Dimension) -> bool:
    """Whether ranks say more than being equal or not."""
    return dimension.is_ordered and len(dimension) > 2


def _scale(dimension: Dimension) -> Array:
    if not _is_ranked(dimension):
        return np.full(len(dimension) + 1, 0.5)
    steps = len(dimension) - 1
    return np.append(np.full(steps, 1 / steps), 1 - _GAP**2)


def _features(dimension: Dimension, codes: NDArray[np.int16]) -> Array:
    if not _is_ranked(dimension):
        return np.equal(codes[:, None], np.arange(NOT_ASKED, len(dimension))).astype(float)
    is_gap = codes == NOT_ASKED
    steps = np.greater_equal(codes[:, None], np.arange(1, len(dimension))).astype(float)
    steps[is_gap] = _GAP
    return np.column_stack([steps, is_gap])
