from __future__ import annotations

import random

import pytest

from nas.space import Choice, Range


def test_range_has_both_ends_where_the_steps_meet_them() -> None:
    assert list(Range(8, 32, 8).values) == [8, 16, 24, 32]
    assert list(Range(8, 31, 8).values) == [8, 16, 24]
    assert list(Range(3, 3).values) == [3]


@pytest.mark.parametrize("dimension", [Range(8, 31, 8), Range(1, 1), Choice((3, None, "a")), Choice((True,))])
def test_dimension_draws_each_of_its_values(dimension: Range | Choice) -> None:
    rng = random.Random(0)
    assert len(dimension) == len(dimension.values)
    assert {dimension.draw(rng) for _ in range(100)} == set(dimension.values)


def test_only_numbers_are_ordered() -> None:
    assert Range(1, 5).is_ordered
    assert Choice((1, 2.5)).is_ordered
    assert not Choice((1, None)).is_ordered
    assert not Choice((True, False)).is_ordered
    assert not Choice(("a", "b")).is_ordered
