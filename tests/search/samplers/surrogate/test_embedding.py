from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from nas.search.samplers.surrogate.embedding import Embedding
from nas.space import Choice, Range

DIMENSIONS = (Choice(("a", "b", "c")), Range(1, 9, 2), Choice((3, 5, 7, 31)), Choice((True, False)), Choice((3, 5)))
row = st.tuples(*(st.integers(-1, len(one) - 1) for one in DIMENSIONS))


def apart(one: tuple[int, ...], other: tuple[int, ...]) -> list[float]:
    """The distance in each decision, by its definition."""
    ranked = [False, True, True, False, False]
    return [
        0.0 if a == b else abs(a - b) / (len(dimension) - 1) if is_ranked and -1 not in (a, b) else 1.0
        for a, b, is_ranked, dimension in zip(one, other, ranked, DIMENSIONS, strict=True)
    ]


@given(row, row)
def test_squared_distances_are_hamming_and_rank_distances(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    embedding = Embedding(DIMENSIONS)
    features = embedding.features(np.array([one, other], np.int16))
    squares = embedding.scale * np.square(features[0] - features[1])
    np.testing.assert_allclose(np.bincount(embedding.decision, squares, minlength=5), apart(one, other), atol=1e-12)


def test_space_without_decisions_is_one_point() -> None:
    assert Embedding(()).features(np.zeros((3, 0), np.int16)).shape == (3, 0)
