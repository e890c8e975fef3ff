from __future__ import annotations

import pytest
from space_texts import space_of, space_with, text_with

from nas.schema.problems import SchemaError

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


def test_rule_that_a_long_range_breaks_at_its_end_is_found() -> None:
    # 32 groups must divide the width; the range has far more values than are tried
    block = "{kind: mixer_first, mixer: {kind: grouped, groups: 32}}"
    found = problems(text_with(block=block, width="{int: [32, 4001], per: stage}"))
    assert found
    assert all("stages." in one and ".width=" in one for one in found)


def test_many_broken_rules_are_not_all_reported() -> None:
    block = "{kind: mixer_first, mixer: {kind: grouped, groups: 32}}"
    assert len(problems(text_with(block=block, width="{int: [33, 63], per: stage}"))) <= 10
