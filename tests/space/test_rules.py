from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from space_texts import space_of, space_with, text_with

from nas.architecture import estimate
from nas.cost import Budget
from nas.errors import MisfitError
from nas.schema.problems import SchemaError
from nas.space import drawing, enumerating, replaying
from nas.space.askers import following

LARGE = "{{kind: mixer_first, mixer: {{kind: large_kernel, kernel: {kernel}, small: {small}}}}}"


def problems(text: str) -> list[str]:
    with pytest.raises(SchemaError) as caught:
        space_of(text)
    return [f"{one.mark.line}:{one.mark.column} {one.message}" for one in caught.value.problems]


def test_rule_between_two_values_is_broken_where_it_stands() -> None:
    (found,) = problems(text_with(block=LARGE.format(kernel=3, small=5)))
    assert found == "6:69 block.mixer.small: must not be larger than the kernel of 3, got 5"


def test_rule_between_a_value_and_an_option_names_the_option() -> None:
    found = problems(text_with(block=LARGE.format(kernel="{choice: [13, 3]}", small=5)))
    assert found == [
        "6:66 small: must not be larger than the kernel of 3, got 5 (with stages.block.mixer.kernel=3)",
    ]


def test_rule_between_two_options_names_both() -> None:
    found = problems(text_with(block=LARGE.format(kernel="{choice: [13, 3]}", small="{choice: [1, 5]}")))
    assert found == [
        "6:92 small: must not be larger than the kernel of 3, got 5 (with stages.block.mixer.kernel=3 and "
        "stages.block.mixer.small=5)",
    ]


def test_option_of_an_option_is_tried_too() -> None:
    inner = LARGE.format(kernel="{choice: [13, 3]}", small=5)
    (found,) = problems(text_with(block=f"{{choice: [mixer_first, {inner}]}}"))
    assert "small: must not be larger than the kernel of 3, got 5" in found
    assert "stages.block.mixer_first-2.mixer.kernel=3" in found


def test_condition_keeps_the_rule() -> None:
    small = "{when: {kernel: '>= 5'}, then: 5, else: 1}"
    assert space_with(block=LARGE.format(kernel="{choice: [13, 3]}", small=small)).size() == 2


GROUPED = "{{kind: mixer_first, mixer: {{kind: grouped, groups: {groups}}}}}"


def test_widths_that_groups_do_not_divide_are_no_points() -> None:
    space = space_with(block=GROUPED.format(groups=32), width="{int: [32, 130], per: stage}")
    assert space.size() == 4**2  # the multiples of 32
    assert all(stage.width % 32 == 0 for one in space.sample(9) for stage in one.stages)


def test_space_of_which_nothing_is_left_is_refused() -> None:
    (found,) = problems(text_with(block=GROUPED.format(groups=32), width="{int: [33, 63], per: stage}"))
    assert "must divide the 33 channels of the mixer, got 32, whatever the choices: nothing is left" in found


def test_option_that_fits_nowhere_is_refused() -> None:
    text = text_with(block=GROUPED.format(groups="{choice: [2, 7], per: stage}"), width="{int: [8, 24], step: 8}")
    (found,) = problems(text)
    assert "groups: must divide the 8 channels of the mixer, got 7 (with stages.0.block.mixer.groups=7)" in found


def test_option_that_fits_in_one_stage_only_stands() -> None:
    text = text_with(block=GROUPED.format(groups="{choice: [2, 16], per: stage}"), width="[8, 16]")
    assert space_of(text).size() == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("groups", "fits"),
    [("groups: {choice: [1, 2, 3, 4, 6, 8], per: stage}", lambda width, groups: width % groups == 0),
     pytest.param("group_width: {choice: [1, 4, 6, 10], per: stage}",
                  lambda width, groups: width % min(width, groups) == 0, marks=pytest.mark.slow)],
)  # fmt: skip
def test_points_of_grouped_bottlenecks_are_those_that_divide(groups: str, fits: Callable[[int, int], bool]) -> None:
    """At every ratio, against arithmetic; counts, draws, walks and neighbours agree."""
    block = f"{{kind: bottleneck, mixer: {{kind: grouped, {groups}}}, ratio: {{choice: [1, 0.5, 0.25], per: stage}}}}"
    space = space_with(block=block, width="[{int: [10, 22], step: 2}, {choice: [12, 15, 16]}]", depth="[1, 1]")
    numbers = (1, 2, 3, 4, 6, 8) if groups.startswith("groups") else (1, 4, 6, 10)
    ways = [
        sum(fits(max(1, round(ratio * width)), one) for width in widths for ratio in (1, 0.5, 0.25) for one in numbers)
        for widths in (range(10, 23, 2), (12, 15, 16))
    ]
    assert space.size() == space.within().count == ways[0] * ways[1] == len(list(enumerating(space)))
    for seed in range(30):
        architecture, answers = space.fitting(drawing(random.Random(seed)))
        assert space.build(replaying(answers, space.dimensions())) == architecture
        assert space.contains(architecture)
    budget = Budget.parse("300kFLOPs")
    within = space.within(budget)
    wanted = {one.id for one in enumerating(space) if budget.allows(estimate(one, space.task))}
    assert {one.id for one in space.sample(len(wanted), budget)} == wanted
    row = within.draw(1, np.random.default_rng(0))[0]
    assert {within.architecture(one).id for one in within.neighbours(row)} < wanted


def test_a_walk_is_led_to_the_nearest_point_and_keeps_the_rest() -> None:
    block = "{kind: bottleneck, mixer: {kind: grouped, groups: {choice: [1, 2, 4, 8], per: stage}}, ratio: 1}"
    space = space_with(block=block, width="[{int: [8, 24], step: 4}, 16]")
    _, answers = space.fitting(following({"stages.0.width": 12, "stages.0.block.mixer.groups": 8}))
    assert answers == {"stages.0.width": 12, "stages.0.block.mixer.groups": 4, "stages.1.block.mixer.groups": 1}
    with pytest.raises(MisfitError):
        space.build(following({"stages.0.width": 12, "stages.0.block.mixer.groups": 8}))
