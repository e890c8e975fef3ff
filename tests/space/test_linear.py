"""RegNet's linear rule against numbers worked out by hand and the published members."""

from __future__ import annotations

import pytest
from space_texts import every_point, space_of

from nas.architecture import estimate
from nas.schema.problems import SchemaError
from nas.space import SearchSpace
from nas.space.linear import Stages, linear

TEXT = """
task: {resolution: 64, classes: 10}
stem: {kind: layers, channels: 8, layers: [{kind: conv, kernel: 3, stride: 2}, batchnorm, relu]}
stages:
  count: 2
  linear: {depth: {int: [2, 5]}, start: {choice: [8, 16]}, slope: {choice: [8, 20.5]}, factor: 2, group_width: GROUPS}
  block: {kind: bottleneck, ratio: 1, mixer: {kind: grouped, group_width: {same: group_width}}}
  downsample: [in_block, in_block]
head: {kind: pool_norm_linear, norm: null}
"""


def space(groups: str = "{choice: [8, 24]}") -> SearchSpace:
    return space_of(TEXT.replace("GROUPS", groups))


@pytest.mark.parametrize(
    ("numbers", "stages"),
    [
        ((13, 24, 36.44, 2.49, 8), Stages((1, 1, 4, 7), (24, 56, 152, 368))),  # RegNetX-200MF
        ((22, 24, 24.48, 2.54, 16), Stages((1, 2, 7, 12), (32, 64, 160, 384))),  # RegNetX-400MF, after pycls
        ((23, 80, 49.56, 2.88, 120), Stages((2, 5, 15, 1), (80, 240, 720, 1920))),  # RegNetX-8.0GF
        ((3, 8, 8, 2, 1), Stages((1, 1, 1), (8, 16, 32))),  # u = 8, 16, 24; s = 0, 1, 1.58
    ],
)
def test_rule_gives_the_published_stages(numbers: tuple[int, int, float, float, int], stages: Stages) -> None:
    assert linear(*numbers, 8) == stages


def test_points_are_the_numbers_that_give_as_many_stages() -> None:
    found = space()
    points = every_point(found)
    wanted = [
        (depth, start, slope, group)
        for depth in range(2, 6)
        for start in (8, 16)
        for slope in (8, 20.5)
        for group in (8, 24)
        if len(linear(depth, start, slope, 2, group, 8).depths) == 2
    ]
    within = found.within()
    assert within.walked is None
    assert len(points) == len(wanted) == within.count == found.size()
    for architecture, answers in points:
        assert found.contains(architecture)
        depth, start, slope, group = (
            answers[f"stages.linear.{name}"] for name in ("depth", "start", "slope", "group_width")
        )
        stages = linear(depth, start, slope, 2, group, 8)  # type: ignore[arg-type]
        assert [one.width for one in architecture.stages] == list(stages.widths)
        assert within.costs(within.encode(answers)[None])["flops"][0] == estimate(architecture, found.task).flops


@pytest.mark.parametrize(
    ("part", "broken", "says"),
    [
        ("  count: 2\n", "", "linear needs 'count'"),
        ("  count: 2\n", "  count: 2\n  depth: [1, 1]\n", "depth follows from 'linear'"),
        ("{same: group_width}", "{same: width}", "same takes a number of the linear rule: depth"),
        ("factor: 2", "factor: 1", "must be between 1.01"),
        ("factor: 2", "factor: [2, 3]", "has no meaning inside another list"),
        ("factor: 2", "facto: 2", "unknown key 'facto' of linear"),
        ("{choice: [8, 20.5]}", "{choice: [0]}", "nothing is left of this space"),
        ("{same: group_width}", "{choice: [4, 8], per: block}", "which 'linear' does not say; write 'per: stage'"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told(part: str, broken: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        space_of(TEXT.replace("GROUPS", "8").replace(part, broken))
