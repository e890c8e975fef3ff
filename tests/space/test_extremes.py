from __future__ import annotations

import pytest
from space_texts import kernels, space_with

from nas.architecture import estimate
from nas.cost import METRICS, Budget
from nas.errors import BudgetError
from nas.space import SearchSpace, load_space, replaying
from nas.space.extremes import extreme, require_reachable
from nas.task import Task


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return load_space("tiny")


@pytest.mark.parametrize("metric", METRICS)
def test_extreme_is_a_point_with_its_value_and_answers(space: SearchSpace, metric: str) -> None:
    low, high = (extreme(space.root, space.task, metric, largest=largest) for largest in (False, True))
    assert low.value < high.value
    for end in (low, high):
        assert getattr(estimate(end.architecture, space.task), metric) == end.value
        assert space.build(replaying(end.answers, space.dimensions())) == end.architecture


def test_nothing_drawn_is_beyond_the_extremes(space: SearchSpace) -> None:
    flops = [estimate(one, space.task).flops for one in space.sample(100)]
    assert extreme(space.root, space.task, "flops", largest=False).value <= min(flops)
    assert extreme(space.root, space.task, "flops", largest=True).value >= max(flops)


def test_part_is_judged_by_the_best_it_can_be() -> None:
    # the first kernel of the second option is the dearest of all, its last the cheapest
    dense = "{kind: mixer_first, mixer: {kind: dense, kernel: {choice: [7, 1]}}}"
    space = space_with(block=f"{{choice: [{{kind: mixer_first, mixer: {{kind: dense, kernel: 3}}}}, {dense}]}}")
    smallest = extreme(space.root, space.task, "params", largest=False)
    assert smallest.answers["stages.block.mixer_first-2.mixer.kernel"] == 1


def test_part_that_gives_way_to_the_value_tried_asks_nothing_more() -> None:
    # no order but 2 fits 14 and 18 channels: for the others the mixer is exchanged for one without an order
    mixer = "{choice: [{kind: recursive_gate, order: {choice: [2, 3, 4]}}, {kind: depthwise, kernel: 3}]}"
    space = space_with(width="[14, 18]", block=f"{{kind: metaformer, mixer: {mixer}, ffn: mlp}}")
    smallest = extreme(space.root, space.task, "params", largest=False)
    assert smallest.answers["stages.block.mixer"] == "depthwise"


def test_extremes_follow_the_task(space: SearchSpace) -> None:
    small = extreme(space.root, Task(resolution=16, classes=10), "flops", largest=False).value
    assert small < extreme(space.root, Task(resolution=64, classes=10), "flops", largest=False).value


def test_reachable_budget_is_let_pass(space: SearchSpace) -> None:
    require_reachable(space.root, Budget.parse(["30MFLOPs", "10Mparams"]), space.task)
    require_reachable(space.root, Budget(), space.task)
    smallest = extreme(space.root, space.task, "flops", largest=False).value
    require_reachable(space.root, Budget.parse(f"{smallest}FLOPs"), space.task)


def test_budget_below_the_space_names_the_cheapest_point(space: SearchSpace) -> None:
    smallest = extreme(space.root, space.task, "params", largest=False)
    with pytest.raises(BudgetError) as caught:
        require_reachable(space.root, Budget.parse("1kparams"), space.task)
    said = str(caught.value)
    assert said.startswith("no architecture of tiny is within 1kparams at 32x32 with 10 classes: the smallest it can")
    assert smallest.architecture.id in said
    assert said.endswith("Raise the budget, or widen the space.")
    least = said.partition("reach is ")[2].partition(",")[0]
    require_reachable(space.root, Budget.parse(least), space.task)  # the number can be taken from the message


def test_budget_above_the_space_names_the_dearest_point(space: SearchSpace) -> None:
    with pytest.raises(BudgetError, match=r"the largest it can reach is .*Lower the budget, or widen the space"):
        require_reachable(space.root, Budget.parse("10..20GFLOPs"), space.task)


def test_single_point_is_named_as_such() -> None:
    with pytest.raises(BudgetError, match="its only point"):
        require_reachable(space_with(block=kernels("7")).root, Budget.parse("1params"), Task(resolution=32))
