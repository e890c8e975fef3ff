"""Stages that may vanish, and a number of stages that is searched."""

from __future__ import annotations

import pytest
from space_texts import kernels, space_of, space_with, text_with

from nas.schema.problems import SchemaError
from nas.space import SearchSpace, load_architecture
from nas.space.askers import following
from nas.space.dimension import Answers, Value

THREE = {"width": "[8, 16, {choice: [24, 32]}]", "downsample": "conv"}


def widths(space: SearchSpace, **answers: Value) -> tuple[list[int], Answers]:
    """Widths of the stages and what was asked; `stages_1_depth` is the answer to stages.1.depth."""
    architecture, asked = space.choices(following({name.replace("_", "."): value for name, value in answers.items()}))
    return [stage.width for stage in architecture.stages], asked


def test_stage_of_depth_0_leaves_with_its_width_downsample_and_questions() -> None:
    space = space_with(depth="[1, {choice: [0, 2]}, 1]", **THREE)
    found, asked = widths(space, stages_1_depth=0)
    assert found == [8, 24]
    assert asked == {"stages.1.depth": 0, "stages.2.width": 24}
    built = space.build(following({"stages.1.depth": 0}))
    written = space_of(text_with(depth="[1, 1]", width="[8, 24]")).build(following({}))
    assert built == written
    assert space.locate(written) == asked


def test_first_stage_may_be_left_out_and_the_stem_serves_the_next() -> None:
    space = space_with(depth="[{choice: [0, 1]}, 1, 1]", **THREE)
    built = space.build(following({"stages.0.depth": 0}))
    assert [stage.width for stage in built.stages] == [16, 24]
    assert built.stages[0].downsample is not None  # what stands before a stage goes with it, and not with its number
    assert space.contains(built)


def test_number_of_stages_is_a_decision() -> None:
    space = space_with(depth="[1, 1, {int: [1, 3]}]", more="  count: {choice: [2, 3]}\n", **THREE)
    assert space.size() == 1 + 3 * 2 == space.within().count
    found, asked = widths(space, stages_count=2)
    assert (found, asked) == ([8, 16], {"stages.count": 2})
    shorter = space_of(text_with(depth="[1, 1]", width="[8, 16]")).build(following({}))
    assert space.locate(shorter) == asked
    assert {len(one.stages) for one in space.sample(7)} == {2, 3}


def test_network_without_a_stage_is_no_point() -> None:
    space = space_with(depth="[{int: [0, 2]}, {choice: [0, 1]}]")
    assert space.size() == 3 * 2 - 1
    with pytest.raises(SchemaError, match="no stage is left"):
        space_with(depth="[0, 0]")


def test_what_stages_share_is_asked_though_one_is_left_out() -> None:
    block = kernels("{choice: [3, 5]}").replace("}}", "}, ratio: {choice: [1, 2], per: stage}}")
    space = space_with(depth="[1, {choice: [0, 1]}]", block=block)
    assert space.size() == 2 * 2 * (1 + 2) == space.within().count


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"depth": "[1, {when: {width: 16}, then: 0, else: 1}]"}, "a depth of 0 leaves the stage out"),
        ({"more": "  count: {choice: [2, x]}\n"}, "must be a whole number"),
        ({"more": "  count: {choice: [1, 2], per: stage}\n"}, "once, not per stage"),
        ({"more": "  count: {choice: [2, 3]}\n"}, "a list of 2 entries for 3 stages"),
    ],
)
def test_what_cannot_be_left_out_is_told(fields: dict[str, str], says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        space_with(**fields)


def test_presets_are_points_of_a_space_with_one_stage_more() -> None:
    text = """
stem: {kind: patchify, patch: 4, norm: layernorm}
stages:
  count: {int: [3, 5]}
  depth: {int: [0, 27], per: stage}
  width: {base: {choice: [64, 96]}, ratio: [1, 2, 4, 8, 8]}
  block: {kind: mixer_first, mixer: {kind: depthwise, kernel: 7}, layer_scale: 1e-6}
  downsample: {kind: conv, kernel: 2, norm: layernorm}
head: {kind: pool_norm_linear, norm: layernorm}
drop_path: {choice: [0.1, 0.4]}
"""
    space = space_of(text)
    tiny = load_architecture("convnext_tiny")
    answers = space.locate(tiny)
    assert answers is not None
    assert space.build(following(answers)) == tiny
    assert len(space.sample(20, "1..6GFLOPs")) == 20
