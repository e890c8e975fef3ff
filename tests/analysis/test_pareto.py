from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from nas.analysis.pareto import non_dominated, ranks

Points = list[tuple[float, ...]]

# Few distinct values, so that ties and equal points are common.
coordinate = st.integers(-3, 3) | st.sampled_from([-math.inf, -0.0, 0.5, math.inf])


@st.composite
def problems(draw: st.DrawFn, fewest: int = 1, most: int = 4) -> tuple[Points, list[bool]]:
    count = draw(st.integers(fewest, most))
    points = draw(st.lists(st.tuples(*[coordinate] * count), max_size=25))
    return points, draw(st.lists(st.booleans(), min_size=count, max_size=count))


def dominates(a: Sequence[float], b: Sequence[float], maximise: Sequence[bool]) -> bool:
    """The definition, word by word."""
    pairs = [(x, y) if more else (-x, -y) for x, y, more in zip(a, b, maximise, strict=True)]
    return all(x >= y for x, y in pairs) and any(x > y for x, y in pairs)


def front_by_definition(points: Points, maximise: Sequence[bool], among: Sequence[int]) -> list[int]:
    return [i for i in among if not any(dominates(points[j], points[i], maximise) for j in among)]


@given(problems())
def test_the_front_is_what_the_definition_says(problem: tuple[Points, list[bool]]) -> None:
    points, maximise = problem
    assert non_dominated(points, maximise=maximise) == front_by_definition(points, maximise, range(len(points)))


@given(problems())
def test_ranks_peel_front_after_front(problem: tuple[Points, list[bool]]) -> None:
    points, maximise = problem
    found = ranks(points, maximise=maximise)
    left, rank = list(range(len(points))), 0
    while left:
        front = front_by_definition(points, maximise, left)
        assert [i for i in left if found[i] == rank] == front
        left, rank = [i for i in left if i not in front], rank + 1
    assert len(found) == len(points)


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_points_does_not_matter(problem: tuple[Points, list[bool]], rng: random.Random) -> None:
    points, maximise = problem
    order = rng.sample(range(len(points)), len(points))
    shuffled = ranks([points[i] for i in order], maximise=maximise)
    found = ranks(points, maximise=maximise)
    assert shuffled == [found[i] for i in order]


@given(problems(fewest=2, most=2))
def test_a_constant_third_objective_changes_nothing(problem: tuple[Points, list[bool]]) -> None:
    points, maximise = problem
    longer = [(*point, 1.0) for point in points]
    assert ranks(longer, maximise=[*maximise, True]) == ranks(points, maximise=maximise)


def test_equal_points_are_on_the_front_together() -> None:
    points = [(0.7, 4.0), (0.6, 4.0), (0.7, 4.0), (0.7, 5.0)]
    assert non_dominated(points, maximise=(True, False)) == [0, 2]
    assert ranks(points, maximise=(True, False)) == [0, 1, 0, 1]


def test_no_points_have_no_front() -> None:
    assert non_dominated([], maximise=(True, False)) == []
    assert ranks([], maximise=(True, False)) == []


@pytest.mark.slow
def test_a_large_front_of_two_objectives_is_quick() -> None:
    # All on one front, and all on fronts of their own: n^2 comparisons would take minutes.
    count = 100_000
    staircase = [(i, i) for i in range(count)]
    assert len(non_dominated(staircase, maximise=(True, False))) == count
    assert max(ranks(staircase, maximise=(True, True))) == count - 1


@pytest.mark.parametrize("function", [non_dominated, ranks])
@pytest.mark.parametrize(
    ("points", "maximise", "message"),
    [
        ([(1.0, 2.0), (1.0,)], (True, False), r"needs 2 objectives, got \(1.0,\)"),
        ([(1.0, math.nan)], (True, False), r"nan cannot be compared, got \(1.0, nan\)"),
        ([()], (), "at least one objective"),
    ],
)
def test_what_cannot_be_compared_is_refused(function: object, points: Points, maximise: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(points, maximise=maximise)  # type: ignore[operator]
