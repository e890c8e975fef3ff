"""The points within a budget, against visiting every point of small spaces and the closed form on large ones."""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from scipy.stats import chisquare
from space_texts import BRANCHED, Point, every_point, kernels, space_of, space_texts, space_with

from nas.architecture import estimate
from nas.cost import Budget
from nas.errors import BudgetError, FieldError, MisfitError, UserError
from nas.schema.packaged import space_names
from nas.space import SearchSpace, drawing, load_space
from nas.space.askers import following
from nas.space.dimension import Value
from nas.space.feasible import FeasibleSet
from nas.space.feasible.pricing import COSTS
from nas.task import Task

_POINTS = 120
SLOW = ("modern", "families")
_FEW = settings(deadline=None, suppress_health_check=list(HealthCheck))


def few_points(space: SearchSpace) -> list[Point]:
    """All points of a random space, if they are few."""
    points = every_point(space, _POINTS + 1)
    assume(len(points) <= _POINTS)
    return points


def prices(points: list[Point], task: Task) -> np.ndarray:
    return np.array([[getattr(estimate(one, task), name) for name in COSTS] for one, _ in points])


def middle(values: np.ndarray) -> tuple[int, int]:
    """A band that holds about half of the values."""
    low, high = np.quantile(values, [0.25, 0.75]).astype(int)
    return max(1, int(low)), int(high)


@cache
def branched() -> tuple[SearchSpace, tuple[Point, ...], Budget]:
    space = space_with(**BRANCHED)
    points = every_point(space)
    low, high = middle(prices(points, space.task)[:, COSTS.index("flops")])
    return space, tuple(points), Budget.parse(f"{low}..{high}FLOPs")


def within(points: tuple[Point, ...] | list[Point], budget: Budget, task: Task) -> list[Point]:
    return [point for point in points if budget.allows(estimate(point[0], task))]


@_FEW
@given(space_texts())
def test_costs_and_keys_are_those_of_every_point(text: str) -> None:
    space = space_of(text)
    points = few_points(space)
    feasible = space.within()
    codes = np.stack([feasible.encode(answers) for _, answers in points])
    costs = feasible.costs(codes)
    assert (np.stack([costs[name] for name in COSTS], axis=1) == prices(points, space.task)).all()
    assert [feasible.decode(row) for row in codes] == [answers for _, answers in points]
    assert [feasible.architecture(row) for row in codes] == [one for one, _ in points]
    distinct = feasible.draw(len({one.id for one, _ in points}), np.random.default_rng(0))
    assert {feasible.architecture(row).id for row in distinct} == {one.id for one, _ in points}


@_FEW
@given(space_texts(), st.sampled_from(["flops", "params", "activations"]))
def test_count_is_the_number_of_points_within_budget(text: str, metric: str) -> None:
    space = space_of(text)
    points = few_points(space)
    low, high = middle(prices(points, space.task)[:, COSTS.index(metric)])
    budget = Budget.parse(f"{low}..{high}{'FLOPs' if metric == 'flops' else metric}")
    wanted = within(points, budget, space.task)
    if not wanted:
        with pytest.raises(BudgetError, match="no architecture of"):
            space.within(budget)
        return
    feasible = space.within(budget)
    assert feasible.count == len(wanted)
    ids = {one.id for one, _ in wanted}
    found = feasible.draw(len(ids), np.random.default_rng(1))
    assert {feasible.architecture(row).id for row in found} == ids


@pytest.mark.slow
@_FEW
@given(space_texts(), st.integers(0, 99))
def test_neighbours_are_all_points_one_answer_away(text: str, seed: int) -> None:
    space = space_of(text)
    try:
        parent, answers = space.choices(drawing(random.Random(seed)))
    except MisfitError:
        assume(False)
        raise
    feasible = space.within()
    around = set[str]()
    for name in answers:
        for value in feasible.dimensions[name].values:
            with suppress(MisfitError):  # such as without any stage: no point, and no neighbour
                around.add(space.build(following({**answers, name: value})).id)
    found = [feasible.architecture(row).id for row in feasible.neighbours(feasible.encode(answers))]
    assert sorted(found) == sorted(around - {parent.id})


def test_neighbours_are_within_budget() -> None:
    space, _, budget = branched()
    feasible = space.within(budget)
    (row,) = feasible.draw(1, np.random.default_rng(0))
    around = {one.tobytes() for one in feasible.neighbours(row)}
    anywhere = space.within().neighbours(row)
    costs = space.within().costs(anywhere)["flops"]
    high = budget.bounds[0].high
    is_allowed = (costs >= budget.bounds[0].low) & (costs <= high)
    assert 0 < is_allowed.sum() < len(anywhere)
    assert around >= {one.tobytes() for one in anywhere[is_allowed]}
    upper = space.within(Budget.parse(f"{high}FLOPs"))  # an upper limit alone leaves enough of them
    assert {one.tobytes() for one in upper.neighbours(row)} == {one.tobytes() for one in anywhere[costs <= high]}


def test_change_that_leaves_a_range_is_made_up_for_by_a_number() -> None:
    """A bottleneck takes more than a mixer-first block of its width, so that it comes with the nearest width."""
    blocks = "{choice: [{kind: mixer_first}, {kind: bottleneck, mixer: {kind: dense, kernel: 3}, ratio: 1}]}"
    space = space_with(block=blocks, depth="[1, 1]", width="{base: {int: [16, 64], step: 2}, ratio: [1, 2]}")
    row = space.within().encode({"stages.width.base": 40, "stages.block": "mixer_first"})
    flops = int(space.within().costs(row[None])["flops"][0])
    feasible = space.within(f"{flops * 97 // 100}..{flops * 103 // 100}FLOPs")
    assert feasible.count is not None
    rows = feasible.draw(feasible.count, np.random.default_rng(0))
    within, around = (
        [one["stages.width.base"] for one in map(feasible.decode, some) if one["stages.block"] == "bottleneck"]
        for some in (rows, feasible.neighbours(row))
    )
    assert around == [max(within)]  # type: ignore[type-var]
    assert around[0] < 40  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.parametrize("metric", [*(pytest.param(one, marks=pytest.mark.slow) for one in ("flops", "params")), "two"])
def test_draws_are_uniform_over_the_points_within_budget(metric: str) -> None:
    space, points, budget = branched()
    if metric != "flops":
        low, high = middle(prices(list(points), space.task)[:, COSTS.index("params")])
        more = Budget.parse(f"{low}..{high}params").bounds
        budget = Budget(more if metric == "params" else (*budget.bounds, *more))
    feasible = space.within(budget)
    wanted = {feasible.encode(answers).tobytes() for _, answers in within(points, budget, space.task)}
    assert 100 < len(wanted) < len(points)
    drawn = feasible.random(50 * len(wanted), np.random.default_rng(5))
    rows, counts = np.unique(drawn, axis=0, return_counts=True)
    assert {row.tobytes() for row in rows} == wanted
    assert chisquare(counts).pvalue > 1e-3


@pytest.mark.slow
def test_first_of_the_distinct_draws_are_uniform_too() -> None:
    space, points, _ = branched()
    params = prices(list(points), space.task)[:, COSTS.index("params")]
    budget = Budget.parse("{:.0f}..{:.0f}params".format(*np.quantile(params, [0.46, 0.54])))
    feasible = space.within(budget)
    answered = within(points, budget, space.task)
    weight = {one.id: 0 for one, _ in answered}
    for one, _ in answered:
        weight[one.id] += 1  # an architecture is as likely as it has sets of answers
    seen = dict.fromkeys(weight, 0)
    draws = 4 * len(answered)
    for seed in range(draws):
        (row,) = feasible.draw(1, np.random.default_rng(seed))
        seen[feasible.architecture(row).id] += 1
    expected = np.array(list(weight.values())) * draws / len(answered)
    assert chisquare(list(seen.values()), expected).pvalue > 1e-3


@pytest.mark.parametrize(
    "name", [one if one == "tiny" else pytest.param(one, marks=pytest.mark.slow) for one in space_names()]
)
def test_packaged_spaces_are_priced_exactly_and_counted(name: str) -> None:
    space, task = load_space(name), Task(resolution=192, classes=37)
    feasible = space.within(task=task)
    assert feasible.walked is not None if name == "regnet" else feasible.count == space.size()
    rows = np.stack([feasible.encode(space.fitting(drawing(random.Random(seed)))[1]) for seed in range(40)])
    costs = feasible.costs(rows)
    built = [(feasible.architecture(row), {}) for row in rows]
    assert (np.stack([costs[one] for one in COSTS], axis=1) == prices(built, task)).all()


@pytest.fixture(scope="module")
def modern() -> FeasibleSet:
    return load_space("modern").within("4.2..4.5GFLOPs")


@pytest.mark.slow
def test_modern_draws_are_distinct_and_within_budget(modern: FeasibleSet) -> None:
    rows = modern.draw(3000, np.random.default_rng(0))
    assert len({row.tobytes() for row in rows}) == 3000
    costs = modern.costs(rows)
    assert ((costs["flops"] >= 4_200_000_000) & (costs["flops"] <= 4_500_000_000)).all()
    for row, flops in zip(rows[:50], costs["flops"], strict=False):
        assert estimate(modern.architecture(row), modern.task).flops == flops
    assert (modern.draw(10, np.random.default_rng(0)) == rows[:10]).all()


@pytest.mark.slow
def test_modern_is_too_large_to_count_and_estimated(modern: FeasibleSet) -> None:
    assert modern.count is None
    count = modern.size
    assert not count.is_exact
    assert count.low < count.points < count.high < 1.02 * count.low
    assert "95% interval" in str(count)


@pytest.mark.slow
def test_estimate_agrees_with_the_count() -> None:
    space = load_space("tiny")
    exact = space.within(["19..30MFLOPs", "10Gparams"]).size  # the second never binds
    small, large = (space.within(["19..30MFLOPs", params]) for params in ("600kparams", "600001..1e9params"))
    assert exact.is_exact
    assert small.count is None
    assert small.size.low + large.size.low <= exact.points <= small.size.high + large.size.high


def test_budget_that_excludes_nothing_leaves_the_whole_space() -> None:
    space = load_space("replknet")
    assert space.within("1TFLOPs").count == space.size()


@pytest.mark.slow
def test_same_seed_gives_the_same_draws_in_another_process() -> None:
    code = (
        "import numpy as np; from nas.space import load_space; "
        "f = load_space('tiny').within('19..20MFLOPs'); "
        "print(*(f.architecture(row).id for row in f.draw(8, np.random.default_rng(3))))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    feasible = load_space("tiny").within("19..20MFLOPs")
    assert found.stdout.split() == [feasible.architecture(row).id for row in feasible.draw(8, np.random.default_rng(3))]


def test_rule_that_few_combinations_break_makes_them_infeasible() -> None:
    mixer = "{kind: large_kernel, kernel: {int: [7, 501], step: 2}, small: {choice: [3, 5, 7, 9]}}"
    space = space_with(block=f"{{kind: mixer_first, mixer: {mixer}}}")  # a small kernel of 9 beside a large one of 7
    feasible = space.within()
    broken = feasible.encode({"stages.block.mixer.kernel": 7, "stages.block.mixer.small": 9})
    assert feasible.count == space.size() - 1 == 4 * 248 - 1
    assert len(feasible.draw(feasible.count, np.random.default_rng(0))) == feasible.count
    with pytest.raises(UserError, match="row 0 is no network of x"):
        feasible.costs(broken[None])
    with pytest.raises(FieldError):
        feasible.architecture(broken)
    near = feasible.encode({"stages.block.mixer.kernel": 7, "stages.block.mixer.small": 7})
    assert len(feasible.neighbours(near)) == 247 + 2


def test_task_too_small_for_the_strides_leaves_the_stems_that_fit() -> None:
    space = space_with(stem="{kind: patchify, patch: {choice: [2, 32]}}")
    assert space.within(task=Task(resolution=16, classes=10)).count == 1


def test_task_too_small_for_any_network_says_so() -> None:
    with pytest.raises(UserError, match="a 1x1 image is too small"):
        load_space("tiny").within(task=Task(resolution=1, classes=10))


def coupled() -> SearchSpace:
    """A pattern of seven kernels with nine choices each: too many blocks to list them."""
    kernel = f"{{pattern: [{', '.join(['{choice: [1, 3, 5, 7, 9, 11, 13, 15, 17]}'] * 7)}]}}"
    return space_with(block=kernels(kernel), depth="[3, {int: [7, 9]}]")


@pytest.mark.slow
def test_space_too_coupled_for_tables_is_walked() -> None:
    space = coupled()
    budget = Budget.parse("2.5..2.7MFLOPs")
    feasible = space.within(budget)
    rows = feasible.draw(20, np.random.default_rng(0))
    costs = feasible.costs(rows)
    built = [feasible.architecture(row) for row in rows]
    assert len({one.id for one in built}) == 20
    assert [estimate(one, space.task).flops for one in built] == costs["flops"].tolist()
    assert all(budget.allows(estimate(one, space.task)) for one in built)
    assert feasible.count is None
    assert 0 < feasible.size.low < feasible.size.points < feasible.size.high < space.size()
    around = feasible.neighbours(rows[0])
    assert 0 < len(around) <= 7 * 8 + 2


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"stages.width.bas": 16}, "did you mean 'stages.width.base'"),
        ({"stages.width.base": 17}, "cannot be 17"),
        ({"stages.width.base": True}, "cannot be true"),
    ],
)
def test_wrong_answer_is_refused(answers: dict[str, Value], says: str) -> None:
    with pytest.raises(UserError, match=says):
        load_space("tiny").within().encode(answers)


def test_gap_between_costs_names_both_sides() -> None:
    with pytest.raises(BudgetError, match=r"the nearest it can reach is 19\.000576MFLOPs and 19\.002624MFLOPs"):
        load_space("tiny").within("19.001..19.002MFLOPs")


def test_gap_is_told_in_the_metric_that_has_it() -> None:
    with pytest.raises(BudgetError, match=r"the nearest it can reach is 19\.000576MFLOPs and 19\.002624MFLOPs"):
        load_space("tiny").within(Budget.parse(["1Gparams", "19.001..19.002MFLOPs"]))


@pytest.mark.slow
def test_bounds_that_exclude_each_other_name_the_nearest_point() -> None:
    with pytest.raises(BudgetError, match=r"no architecture of tiny is within 1.2MFLOPs and .* the nearest has"):
        load_space("tiny").within(Budget.parse(["1.2MFLOPs", "700..800kparams"]))


def test_more_than_there_are_is_an_error() -> None:
    feasible = load_space("tiny").within("19..19.01MFLOPs")
    assert feasible.count is not None
    with pytest.raises(BudgetError, match=f"only {feasible.count} of 10000 distinct architectures"):
        feasible.draw(10_000, np.random.default_rng(0))


def test_blocks_that_follow_a_pattern_stand_beside_others() -> None:
    """Those of the pattern are priced one by one, the others together; conditions and answers stay their own."""
    plain = "{kind: mixer_first, mixer: {kind: depthwise, kernel: {choice: [3, 5]}}, ratio: {choice: [2, 4]}}"
    gated = "{pattern: [{kind: squeeze_excite, reduction: {choice: [2, 4]}}, null]}"
    patterned = f"{{kind: bottleneck, mixer: {{kind: depthwise, kernel: {{choice: [3, 7]}}}}, gate: {gated}}}"
    space = space_with(block=f"{{per: stage, choice: [{plain}, {patterned}]}}", depth="[1, 3]")
    points = every_point(space)
    feasible = space.within()
    assert feasible.count == len(points) == 8 * 8
    codes = np.stack([feasible.encode(answers) for _, answers in points])
    costs = feasible.costs(codes)
    assert (np.stack([costs[name] for name in COSTS], axis=1) == prices(points, space.task)).all()
    assert [feasible.architecture(row) for row in codes] == [one for one, _ in points]
