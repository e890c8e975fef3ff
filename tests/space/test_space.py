from __future__ import annotations

import random

import numpy as np
import pytest
from space_texts import kernels, space_of, space_with, text_with

from nas.architecture import estimate
from nas.cost import Budget
from nas.errors import BudgetError
from nas.space import SearchSpace, drawing, load_space
from nas.task import Task


@pytest.fixture(scope="module")
def tiny() -> SearchSpace:
    return load_space("tiny")


def test_space_keeps_its_text_word_for_word() -> None:
    text = "# a comment\n" + text_with()
    assert space_of(text).text == text
    assert space_of(space_of(text).text).build(drawing(random.Random(0))) == space_of(text).build(
        drawing(random.Random(0))
    )


def test_choices_are_what_was_asked(tiny: SearchSpace) -> None:
    architecture, answers = tiny.choices(drawing(random.Random(3)))
    assert set(answers) <= set(tiny.dimensions())
    assert [answers[f"stages.{index}.depth"] for index in range(3)] == [stage.depth for stage in architecture.stages]


def test_walk_asks_each_question_once(tiny: SearchSpace) -> None:
    asked: list[str] = []

    def ask(name: str, dimension: object) -> object:
        asked.append(name)
        return dimension.values[0]  # type: ignore[attr-defined]

    tiny.build(ask)  # type: ignore[arg-type]
    assert len(asked) == len(set(asked))


def test_sample_is_distinct_within_budget_and_repeatable(tiny: SearchSpace) -> None:
    budget = Budget.parse(["5..20MFLOPs", "300kparams"])
    found = tiny.sample(20, budget, seed=4)
    assert len({one.id for one in found}) == 20
    assert all(budget.allows(estimate(one, tiny.task)) for one in found)
    assert found == tiny.sample(20, budget, seed=4)
    assert found != tiny.sample(20, budget, seed=5)
    assert tiny.sample(5, budget, seed=4) == found[:5]


def test_sample_takes_a_budget_as_text(tiny: SearchSpace) -> None:
    assert tiny.sample(3, "20MFLOPs") == tiny.sample(3, Budget.parse("20MFLOPs"))


def test_sample_prices_for_the_task_it_is_given(tiny: SearchSpace) -> None:
    task = Task(resolution=64, classes=100)
    (found,) = tiny.sample(1, "30MFLOPs", task=task)
    assert estimate(found, task).flops <= 30_000_000


def test_sample_does_not_touch_the_global_generator(tiny: SearchSpace) -> None:
    random.seed(0)
    state = random.getstate()
    tiny.sample(3, seed=1)
    assert random.getstate() == state


def test_whole_space_can_be_sampled() -> None:
    assert len(space_with(width="{choice: [8, 16, 24], per: stage}").sample(9)) == 9


def test_sampling_nothing_gives_nothing(tiny: SearchSpace) -> None:
    assert tiny.sample(0) == []


def test_sampling_more_than_there_is_says_how_many_there_are() -> None:
    with pytest.raises(BudgetError, match=r"x: only 3 of 4 distinct architectures .* or widen .* \(3 points\)"):
        space_with(width="{choice: [8, 16, 24]}").sample(4)


def test_sampling_an_unreachable_budget_says_what_can_be_reached(tiny: SearchSpace) -> None:
    with pytest.raises(BudgetError, match="the smallest it can reach is"):
        tiny.sample(1, "10kFLOPs")


def test_one_pixel_is_left_where_the_strides_allow_it() -> None:
    space = space_with(stem="{kind: patchify, patch: 16}")
    (found,) = space.sample(1, "10MFLOPs", task=Task(resolution=32, classes=2))
    assert found.stages[-1].width == 16


def test_isotropic_space_has_no_downsample() -> None:
    space = space_with(downsample="null", width="16", block=kernels("{choice: [3, 5]}"))
    assert all(stage.downsample is None for stage in space.build(drawing(random.Random(0))).stages)


def test_what_is_within_a_budget_is_counted_drawn_priced_and_stepped_through() -> None:
    space = load_space("tiny")
    within = space.within("19..20MFLOPs")
    assert within.count is not None
    assert 0 < within.count < space.size()
    rows = within.draw(5, np.random.default_rng(0))
    flops = within.costs(rows)["flops"]
    assert [estimate(within.architecture(row), space.task).flops for row in rows] == flops.tolist()
    assert ((flops >= 19_000_000) & (flops <= 20_000_000)).all()
    around = within.neighbours(rows[0])
    assert len(around)
    assert (within.costs(around)["flops"] <= 20_000_000).all()
    assert [within.architecture(row) for row in rows] == space.sample(5, "19..20MFLOPs", seed=0)


@pytest.mark.parametrize(
    "budget",
    [
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("20MFLOPs", ["20MFLOPs"], Budget.parse("20MFLOPs"))),
        ["20MFLOPs", "1Gparams"],
    ],
    ids=str,
)
def test_budget_may_be_text_several_texts_or_read(budget: str | list[str] | Budget) -> None:
    space = load_space("tiny")
    assert space.within(budget).count == space.within("20MFLOPs").count


def test_without_a_budget_everything_is_within_it() -> None:
    space = load_space("tiny")
    assert space.within().count == space.size()


def test_task_of_the_space_gives_way_to_another() -> None:
    space, larger = load_space("tiny"), Task(resolution=64, classes=10)
    within = space.within("20MFLOPs", task=larger)
    rows = within.draw(3, np.random.default_rng(0))
    found = [estimate(within.architecture(row), larger).flops for row in rows]
    assert found == within.costs(rows)["flops"].tolist()
    assert space.within("20MFLOPs").task == space.task


def test_budget_that_is_none_is_refused() -> None:
    with pytest.raises(BudgetError, match="bananas"):
        load_space("tiny").within("4.5 bananas")
