from __future__ import annotations

from hypothesis import given, strategies as st

from nas.analysis.pareto import non_dominated
from nas.analysis.running_front import RunningFront

MAXIMISE = (True, False, False)
point = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))


@given(st.lists(point, max_size=20))
def test_it_is_the_front_of_all_points_so_far(points: list[tuple[int, int, int]]) -> None:
    front: RunningFront[int] = RunningFront(MAXIMISE)
    beaten: set[int] = set()
    for index, one in enumerate(points):
        change = front.add(one, index)
        beaten.update(change.beaten)
        assert change.is_in is (index in front.items)
        assert sorted(front.items) == non_dominated(points[: index + 1], maximise=MAXIMISE)
    assert beaten == set(range(len(points))) - set(front.items)
