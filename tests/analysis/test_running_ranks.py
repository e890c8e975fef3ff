from __future__ import annotations

from hypothesis import given, strategies as st

from nas.analysis.pareto import ranks
from nas.analysis.running_ranks import RunningRanks

SMALL = st.integers(0, 6)  # so that points are often equal, or equal in one objective


@given(st.data(), st.integers(1, 3), st.lists(st.booleans(), min_size=3, max_size=3))
def test_fronts_are_those_of_sorting_everything(data: st.DataObject, objectives: int, maximise: list[bool]) -> None:
    points = data.draw(st.lists(st.tuples(*[SMALL] * objectives), max_size=40))
    running = RunningRanks(maximise[:objectives])
    for number, point in enumerate(points):
        running.add(number, point)
        sorted_anew = ranks(points[: number + 1], maximise=maximise[:objectives])
        fronts = [sorted(front) for front in running.fronts]
        assert fronts == [
            [one for one, rank in enumerate(sorted_anew) if rank == index] for index in range(max(sorted_anew) + 1)
        ]
