from __future__ import annotations

import random

import pytest
from space_texts import kernels, space_with

from nas.errors import UserError
from nas.space import SearchSpace, crossing, drawing, enumerating, mutating, replaying
from nas.space.askers import following


@pytest.fixture
def space() -> SearchSpace:
    return space_with(depth="{int: [1, 3], per: stage}", width="{base: {choice: [8, 16]}, ratio: [1, 2]}")


def test_following_answers_the_first_where_nothing_is_given(space: SearchSpace) -> None:
    assert space.choices(following({"stages.1.depth": 3}))[1] == {
        "stages.0.depth": 1, "stages.1.depth": 3, "stages.width.base": 8,
    }  # fmt: skip


def test_drawing_depends_on_its_generator_alone(space: SearchSpace) -> None:
    random.seed(1)
    first = [space.build(drawing(random.Random(7))) for _ in range(2)]
    random.seed(2)
    assert [space.build(drawing(random.Random(7))) for _ in range(2)] == first


def test_drawing_gives_every_answer_about_equally_often(space: SearchSpace) -> None:
    ask = drawing(random.Random(0))
    depths = [space.build(ask).stages[0].depth for _ in range(600)]
    assert all(150 < depths.count(depth) < 250 for depth in (1, 2, 3))


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"stages.0.depth": 1}, "no answer for 'stages.width.base'; it takes 8, 16"),
        (
            {"stages.0.depth": 1, "stages.width.base": 8},
            "no answer for 'stages.1.depth'; it takes 1 to 3 in steps of 1",
        ),
        ({"stages.0.depth": 9}, "'stages.0.depth' cannot be 9 in this space; it takes 1 to 3 in steps of 1"),
        ({"stages.0.depth": None}, "'stages.0.depth' cannot be null in this space"),
        ({"stages.0.depht": 1}, "'stages.0.depht' is no decision of this space; did you mean 'stages.0.depth'?"),
    ],
)
def test_replaying_is_strict(space: SearchSpace, answers: dict[str, int], message: str) -> None:
    with pytest.raises(UserError) as caught:
        space.build(replaying(answers, space.dimensions()))
    assert message in str(caught.value)


def test_mutating_everything_is_drawing(space: SearchSpace) -> None:
    parent = {"stages.0.depth": 3, "stages.1.depth": 3, "stages.width.base": 16}
    children = {space.build(mutating(parent, random.Random(seed), rate=1.0)) for seed in range(60)}
    assert len(children) > 10


def test_mutating_changes_about_the_share_it_is_told(space: SearchSpace) -> None:
    parent = {"stages.0.depth": 3, "stages.1.depth": 3, "stages.width.base": 16}
    ask = mutating(parent, random.Random(0), rate=0.3)
    children = [space.choices(ask)[1] for _ in range(300)]
    changed = sum(child[name] != parent[name] for child in children for name in parent) / (3 * len(children))
    assert 0.1 < changed < 0.25  # a redrawn answer may be the old one


def test_parent_of_another_space_is_followed_where_it_can_be(space: SearchSpace) -> None:
    parent = {"stages.0.depth": 3, "stages.1.depth": 9, "other": 1}
    _, child = space.choices(mutating(parent, random.Random(0), rate=0.0))
    assert child["stages.0.depth"] == 3
    assert child["stages.1.depth"] in (1, 2, 3)


def test_crossing_takes_every_answer_from_a_parent(space: SearchSpace) -> None:
    mother = {"stages.0.depth": 1, "stages.1.depth": 1, "stages.width.base": 8}
    father = {"stages.0.depth": 3, "stages.1.depth": 3, "stages.width.base": 16}
    children = [space.choices(crossing(mother, father, random.Random(seed)))[1] for seed in range(30)]
    assert {child["stages.0.depth"] for child in children} == {1, 3}
    assert len({tuple(child.values()) for child in children}) > 4


def test_enumerating_visits_every_point_once_in_a_fixed_order(space: SearchSpace) -> None:
    points = list(enumerating(space))
    assert len(points) == len(set(points)) == 18
    assert points == list(enumerating(space))
    assert points[0] == space.build(following({}))


def test_enumerating_follows_questions_that_depend_on_answers() -> None:
    space = space_with(block=f"{{choice: [mixer_first, {kernels('{choice: [3, 5]}')}]}}")
    kernel = [point.stages[0].block(0).mixer.kernel for point in enumerating(space)]  # type: ignore[attr-defined]
    assert kernel == [7, 3, 5]


def test_space_without_decisions_has_one_point() -> None:
    assert len(list(enumerating(space_with()))) == 1
