from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from nas.analysis.crowding import crowding_distances

POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12)


def test_the_formula_on_a_front() -> None:
    """By hand: (4 - 0) / 8 in the first objective and (8 - 2) / 8 in the second."""
    points = [(0, 8), (2, 4), (4, 2), (8, 0)]
    assert crowding_distances(points) == pytest.approx([math.inf, 4 / 8 + 6 / 8, 6 / 8 + 4 / 8, math.inf])


@given(POINTS)
def test_the_outermost_are_infinitely_far(points: list[tuple[int, int]]) -> None:
    distances = crowding_distances(points)
    for objective in (0, 1):
        for extreme in (min, max):
            value = extreme(point[objective] for point in points)
            ends = [d for point, d in zip(points, distances, strict=True) if point[objective] == value]
            assert math.inf in ends


@given(POINTS, st.randoms())
def test_nothing_depends_on_the_order(points: list[tuple[int, int]], chance: object) -> None:
    expected = dict(zip(points, crowding_distances(points), strict=True))
    chance.shuffle(points)  # type: ignore[attr-defined]
    assert dict(zip(points, crowding_distances(points), strict=True)) == expected


def test_nothing_is_no_error() -> None:
    assert crowding_distances([]) == []
