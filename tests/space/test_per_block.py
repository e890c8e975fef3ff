"""Choices for every block of a stage."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from space_texts import every_point, kernels, space_of, space_with, text_with

from nas.architecture import estimate
from nas.schema.problems import SchemaError
from nas.space import replaying
from nas.space.askers import following

KERNEL = "{choice: [3, 5, 7], per: block}"


def test_every_block_that_there_is_is_asked() -> None:
    space = space_with(block=kernels(KERNEL), depth="[1, {int: [1, 3]}]")
    assert space.size() == 3 * (3 + 9 + 27) == space.within().count
    assert set(space.dimensions()) >= {f"stages.1.block.mixer.kernel.{index}" for index in range(3)}
    name = "stages.1.block.mixer.kernel"
    built, asked = space.choices(following({"stages.1.depth": 2, f"{name}.0": 7, f"{name}.1": 5, f"{name}.2": 3}))
    assert [built.stages[1].block(index).mixer.kernel for index in range(2)] == [7, 5]  # type: ignore[attr-defined]
    assert f"{name}.2" not in asked


@pytest.mark.slow
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([KERNEL, "{int: [3, 7], step: 2, per: block}", "{choice: [3, 9], per: block, at_most: 2 maps}"]),
    st.sampled_from(["mixer_first", "bottleneck"]),
    st.sampled_from(["[1, {int: [1, 3]}]", "[{choice: [0, 2]}, 1]", "{choice: [1, 2]}", "{int: [1, 2], per: stage}"]),
    st.sampled_from(["4", "{choice: [1, 2]}", "{choice: [1, 2], per: block}"]),
)
def test_points_are_counted_priced_drawn_and_found_again(kernel: str, kind: str, depth: str, ratio: str) -> None:
    block = f"{{kind: {kind}, mixer: {{kind: depthwise, kernel: {kernel}}}, ratio: {ratio}}}"
    space = space_with(block=block, depth=depth, width="[8, {choice: [8, 16]}]")
    points = every_point(space)
    within = space.within()
    assert len(points) == space.size() == within.count
    rows = np.stack([within.encode(answers) for _, answers in points])
    assert within.costs(rows)["flops"].tolist() == [estimate(one, space.task).flops for one, _ in points]
    for architecture, _ in random.Random(0).sample(points, min(10, len(points))):
        found = space.locate(architecture)
        assert found is not None
        assert space.build(replaying(found, space.dimensions())) == architecture
    ids = {one.id for one, _ in points}
    assert {one.id for one in space.sample(len(ids))} == ids


@pytest.mark.slow
def test_deep_stages_are_walked_and_say_so() -> None:
    space = space_with(block=kernels(KERNEL), depth="[{int: [1, 4]}, {int: [4, 18]}]")
    assert space.size() == sum(3**n for n in range(1, 5)) * sum(3**n for n in range(4, 19))
    within = space.within("1..3MFLOPs")
    assert within.walked is not None
    drawn = [within.architecture(row) for row in within.draw(20, np.random.default_rng(0))]
    assert all(10**6 <= estimate(one, space.task).flops <= 3 * 10**6 for one in drawn)
    assert space_with().within().walked is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"depth": "{choice: [1, 2], per: block}"}, "stands once, in 'block'"),
        ({"block": kernels("{choice: [3, {choice: [5, 7], per: block}], per: block}")}, "stands once, in 'block'"),
        ({"block": kernels("{choice: [3, {choice: [5, 7]}], per: block}")}, "may hold no decisions of its own"),
        ({"block": kernels("{choice: [3, 5], per: blok}")}, "per takes 'stage' or 'block', got 'blok'"),
        ({"block": kernels(KERNEL, "{when: {kernel: 3}, then: true, else: false}")}, "which is chosen per block"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_per_block_is_told(fields: dict[str, str], says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        space_of(text_with(**fields))
