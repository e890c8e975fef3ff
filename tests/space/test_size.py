from __future__ import annotations

import pytest
from space_texts import kernels, space_with

from nas.schema.packaged import preset_names, preset_path
from nas.space import load_space


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, 1),
        ({"width": "{int: [8, 32], step: 8}"}, 4),
        ({"width": "{int: [8, 32], step: 8, per: stage}"}, 16),
        ({"width": "[{int: [8, 32], step: 8}, 16]"}, 4),
        ({"width": "{base: {int: [8, 32], step: 8}, ratio: [1, 2]}"}, 4),
        ({"stem": "{choice: [patchify, {kind: patchify, patch: {choice: [2, 4]}}]}"}, 3),
        ({"stem": "{choice: [patchify, overlapping]}", "drop_path": "{choice: [0, 0.1]}"}, 4),
        ({"downsample": "{choice: [conv, in_block]}"}, 2),
        ({"downsample": "{choice: [conv, in_block]}", "depth": "[1]", "width": "[8]"}, 1),
        ({"block": kernels("{choice: [3, 5, {choice: [7, 9]}]}")}, 4),
        ({"block": kernels("{choice: [3, 5, {choice: [7, 9]}], per: stage}")}, 16),
        ({"block": kernels("{choice: [3, [5, {choice: [7, 9]}]]}")}, 3),
        ({"block": kernels("{pattern: [3, {choice: [5, 7]}]}")}, 2),
        # the kernel is shared; where it is 7, each of two stages has a bias to choose
        ({"block": kernels("{choice: [3, 7]}", "{when: {kernel: 7}, then: {choice: [true, false]}, else: true}")}, 5),
        ({"block": kernels("{choice: [3, 7], per: stage}",
                           "{when: {kernel: 7}, then: {choice: [true, false]}, else: true}")}, 9),
    ],
)  # fmt: skip
def test_size_is_exact(fields: dict[str, str], size: int) -> None:
    assert space_with(**fields).size() == size


def test_large_space_is_counted_without_visiting_it() -> None:
    space = space_with(
        depth="[{int: [1, 4]}, {int: [1, 4]}, {int: [2, 12]}, {int: [1, 4]}]",
        width="{base: {int: [48, 112], step: 8}, ratio: [1, 2, 4, 8]}",
        block=kernels("{choice: [3, 5, 7, 9, 11], per: stage}", bias="{choice: [true, false]}"),
        downsample="{choice: [conv, in_block, {kind: conv, kernel: {choice: [3, 5]}}], per: stage}",
    )
    assert space.size() == 4 * 4 * 11 * 4 * 9 * 5**4 * 2 * 4**3


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * bool(place % 27)) for place, name in enumerate(preset_names())],
)
def test_preset_is_a_space_of_one_point(name: str) -> None:
    space = load_space(preset_path(name))
    assert space.size() == 1
    assert space.dimensions() == {}
