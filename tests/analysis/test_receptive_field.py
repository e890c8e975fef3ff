"""Squares that hold shares of a field, against fields whose squares are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from nas.analysis.receptive_field import Square, logarithmic, middle_of, smallest_squares


def test_even_field_gives_the_area_back() -> None:
    found = smallest_squares(np.ones((101, 101)))
    assert [one.side for one in found] == [47, 57, 73, 101]  # the least odd numbers of at least 101 times sqrt(share)
    assert found[0] == Square(0.2, 47, 47**2 / 101**2)


def test_one_pixel_is_the_smallest_square_and_the_edge_is_cut() -> None:
    field = np.zeros((10, 10))
    field[5, 5] = 3.0
    assert {one.side for one in smallest_squares(field)} == {1}
    field[0, 0] = 1.0  # further from the middle than the other edge is
    assert smallest_squares(field, [0.8]) == (Square(0.8, 11, 1.0),)


def test_middle_follows_the_field() -> None:
    field = np.zeros((20, 20))
    field[2:5, 11:16] = 1.0
    assert middle_of(field) == (3, 13)
    assert smallest_squares(field, [0.99]) == (Square(0.99, 5, 25 / 400),)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30))
def test_squares_hold_their_share_and_none_smaller_does(seed: int, height: int, width: int) -> None:
    field = np.random.default_rng(seed).random((height, width)) ** 8 + 1e-9

    def held(reach: int) -> float:
        y, x = middle_of(field)
        part = field[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        return float(part.sum() / field.sum())

    for one in smallest_squares(field):
        assert held(one.side // 2) >= one.share - 1e-9
        assert one.side == 1 or held(one.side // 2 - 1) < one.share + 1e-9


def test_logarithm_flattens_large_contributions_and_leaves_small_ones() -> None:
    assert logarithmic(np.array([[0.0, 9.0, 999.0]])).tolist() == [[0.0, 1.0, 3.0]]


@pytest.mark.parametrize("field", [np.zeros((3, 3)), np.full((3, 3), np.nan), -np.ones((3, 3))])
def test_what_is_no_field_is_refused(field: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite contributions"):
        smallest_squares(field)
