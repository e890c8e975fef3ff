from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from nas.analysis.hypervolume import hypervolume

SIDE = 8
corner = st.tuples(st.integers(-2, SIDE + 2), st.integers(-2, SIDE + 2))


def cells(points: list[tuple[int, int]]) -> int:
    """Unit squares of a SIDE x SIDE board that lie below and left of a point: the area, by counting."""
    return sum(any(x < a and y < b for a, b in points) for x in range(SIDE) for y in range(SIDE))


@given(st.lists(st.tuples(st.integers(-2, SIDE), st.integers(-2, SIDE)), max_size=12))
def test_it_is_the_area_that_the_points_cover(points: list[tuple[int, int]]) -> None:
    assert hypervolume(points, reference=(0, 0), maximise=(True, True)) == cells(points)


@given(st.lists(st.tuples(*[st.integers(-1, 5)] * 3), max_size=8))
def test_it_is_the_volume_that_points_of_three_objectives_cover(points: list[tuple[int, int, int]]) -> None:
    cubes = [(x, y, z) for x in range(5) for y in range(5) for z in range(5)]
    covered = sum(any(x < a and y < b and z < c for a, b, c in points) for x, y, z in cubes)
    assert hypervolume(points, reference=(0, 0, 0), maximise=(True, True, True)) == covered


@given(st.lists(st.integers(-3, 9), max_size=8))
def test_with_one_objective_it_is_the_distance_of_the_best(values: list[int]) -> None:
    best = max([0, *values])
    assert hypervolume([(one,) for one in values], reference=(0,), maximise=(True,)) == best


@given(st.lists(corner, max_size=8), st.booleans(), st.booleans())
def test_turning_an_objective_turns_nothing_else(points: list[tuple[int, int]], first: bool, second: bool) -> None:
    signs = (1 if first else -1, 1 if second else -1)
    turned = [(x * signs[0], y * signs[1]) for x, y in points]
    area = hypervolume(points, reference=(0, 0), maximise=(True, True))
    assert hypervolume(turned, reference=(0, 0), maximise=(first, second)) == area


@given(st.lists(corner, max_size=8), corner)
def test_a_point_never_makes_it_smaller(points: list[tuple[int, int]], extra: tuple[int, int]) -> None:
    before = hypervolume(points, reference=(0, 0), maximise=(True, True))
    assert hypervolume([*points, extra], reference=(0, 0), maximise=(True, True)) >= before


@given(st.lists(corner, min_size=1, max_size=8))
def test_the_order_of_the_points_does_not_matter(points: list[tuple[int, int]]) -> None:
    volume = hypervolume(points, reference=(0, 0), maximise=(True, True))
    assert hypervolume(points[::-1], reference=(0, 0), maximise=(True, True)) == volume


def test_accuracy_against_cost() -> None:
    front = [(0.5, 2.0), (0.75, 3.0), (0.25, 2.5)]
    assert hypervolume(front, reference=(0.0, 4.0), maximise=(True, False)) == 1.25
    assert hypervolume(front[:1], reference=(0.0, 4.0), maximise=(True, False)) == 1.0


def test_nothing_covers_nothing() -> None:
    assert hypervolume([], reference=(0, 0), maximise=(True, False)) == 0
    assert hypervolume([(0.5, 5.0), (-0.5, 1.0)], reference=(0.0, 4.0), maximise=(True, False)) == 0


def test_what_has_no_area_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one objective"):
        hypervolume([], reference=(), maximise=())
    with pytest.raises(ValueError, match="finite"):
        hypervolume([(math.inf, 1)], reference=(0, 0), maximise=(True, True))
    with pytest.raises(ValueError, match="nan cannot be compared"):
        hypervolume([(math.nan, 1)], reference=(0, 0), maximise=(True, True))
