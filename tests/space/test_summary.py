from __future__ import annotations

import pytest
from space_texts import kernels, space_with

from nas.architecture import estimate
from nas.space import SearchSpace
from nas.space.extremes import extreme
from nas.space.summary import spread_over, summarise


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return space_with(block=kernels("{choice: [3, 7, 31]}"), width="[8, {int: [16, 64], step: 16}]", depth="[1, 2]")


def test_summary_says_how_large_the_space_is_and_how_far_it_reaches(space: SearchSpace) -> None:
    summary = summarise(space.within(), draws=50)
    assert (summary.size, summary.decisions, summary.points, summary.is_exact) == (12, 2, 12, True)
    assert summary.feasible == 1
    for reach in summary.reach:
        ends = [extreme(space.root, space.task, reach.metric, largest=largest).value for largest in (False, True)]
        assert [reach.smallest, reach.largest] == ends
        assert reach.smallest <= reach.median <= reach.largest
    assert summary.dead == ()


def test_summary_counts_what_a_budget_leaves_and_names_what_it_rules_out(space: SearchSpace) -> None:
    costs = sorted(estimate(one, space.task).flops for one in space.sample(12))
    low = extreme(space.root, space.task, "flops", largest=False)
    dear = min(estimate(one, space.task).flops for one in space.sample(12) if one.stages[1].width == 64)
    within = space.within(f"{dear - 1}FLOPs")
    summary = summarise(within, draws=50)
    assert low.value < dear
    assert summary.points == sum(cost < dear for cost in costs) == within.count
    assert summary.feasible == summary.points / 12
    assert any("64" in sentence and "over budget whatever the rest" in sentence for sentence in summary.dead)
    flops = [estimate(one, space.task).flops for one in summary.examples]
    assert flops == sorted(flops)
    assert max(flops) < dear


def test_choice_of_one_is_called_dead() -> None:
    space = space_with(block=kernels("{choice: [7]}"), width="[8, {choice: [8, 16]}]")
    assert summarise(space.within(), draws=10).dead == ("stages.block.mixer.kernel has the single option 7",)


@pytest.mark.parametrize(("count", "kept"), [(3, [0, 2, 4]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])])
def test_rows_are_spread_over_their_whole_length(count: int, kept: list[int]) -> None:
    assert spread_over(list(range(5)), count) == kept  # type: ignore[arg-type, comparison-overlap]
