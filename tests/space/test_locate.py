from __future__ import annotations

import random
from dataclasses import replace

import pytest
from space_texts import kernels, space_with

from nas.architecture import Architecture
from nas.space import drawing, load_architecture, load_space
from nas.space.askers import following


def test_published_network_is_found_in_the_space_around_it() -> None:
    space = load_space("convnext")
    architecture = load_architecture("convnext_tiny")
    answers = space.locate(architecture)
    assert answers is not None
    assert answers["stages.width.base"] == 96
    assert [answers[f"stages.{stage}.depth"] for stage in range(4)] == [3, 3, 9, 3]
    assert space.build(following(answers)) == architecture


@pytest.mark.parametrize("name", ["resnet50", "convnext_isotropic_small"])
def test_network_outside_a_space_is_not_found(name: str) -> None:
    assert not load_space("convnext").contains(load_architecture(name))


def changed(architecture: Architecture, what: str) -> Architecture:
    first, second = architecture.stages
    if what == "fewer stages":
        return replace(architecture, stages=(first,))
    if what == "depth":
        return replace(architecture, stages=(first, replace(second, depth=7)))
    if what == "norm":
        return replace(architecture, stages=(replace(first, norm=first.block(0).norm), second))  # type: ignore[attr-defined]
    if what == "no downsample":
        return replace(architecture, stages=(first, replace(second, downsample=None)))
    return replace(architecture, drop_path=0.3)


@pytest.mark.parametrize("what", ["fewer stages", "depth", "norm", "no downsample", "drop path"])
def test_one_difference_is_enough(what: str) -> None:
    space = space_with(depth="[1, 2]")
    architecture = space.build(following({}))
    assert space.contains(architecture)
    assert not space.contains(changed(architecture, what))


def test_unseen_entry_of_a_pattern_is_answered_with_anything() -> None:
    space = space_with(depth="[1, 1]", block=kernels("{pattern: [3, {choice: [5, 7]}]}"))
    answers = space.locate(space.build(following({})))
    assert answers is not None
    assert space.build(following(answers)) == space.build(following({}))


def test_deep_stages_with_long_patterns_are_located() -> None:
    kernels_of_201 = ", ".join(str(1 + 2 * (index % 7)) for index in range(201))
    space = space_with(
        depth="[900, 2]", block=kernels(f"{{pattern: [{kernels_of_201}]}}", bias="{pattern: [true, false]}")
    )
    assert space.contains(space.build(following({})))


def test_ambiguous_answers_are_settled_by_building() -> None:
    space = space_with(width="{base: {choice: [8, {choice: [8, 16]}]}, ratio: [1, 2]}")
    for seed in range(10):
        architecture = space.build(drawing(random.Random(seed)))
        assert space.contains(architecture)
