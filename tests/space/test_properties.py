"""What holds of every space, tried on random ones small enough to be seen to the end."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from space_texts import space_of, space_texts

from nas.architecture import Architecture, estimate
from nas.cost import METRICS
from nas.errors import MisfitError
from nas.space import Ask, SearchSpace, crossing, drawing, enumerating, mutating, replaying
from nas.space.dimension import Dimension, Value
from nas.space.extremes import extreme

_POINTS = 60
_FEW = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
Found = TypeVar("Found")
Point = tuple[Architecture, dict[str, Value]]


class Answered:
    """A space whose points come with their answers."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def build(self, ask: Ask) -> Point:
        return self.space.choices(ask)


def every_point(space: SearchSpace) -> list[Point]:
    points = list(itertools.islice(enumerating(Answered(space)), _POINTS + 1))
    assume(len(points) <= _POINTS)
    return points


def drawn(space: SearchSpace, seed: int) -> Point:
    return point(lambda: space.choices(drawing(random.Random(seed))))


def point(walk: Callable[[], Found]) -> Found:
    """What a walk gives; answers that are no point of the space, such as no stage at all, are another example's."""
    try:
        return walk()
    except MisfitError:
        assume(False)
        raise


@_FEW
@given(space_texts())
def test_size_is_the_number_of_answer_sets(text: str) -> None:
    space = space_of(text)
    answers = [repr(sorted(asked.items())) for _, asked in every_point(space)]
    assert len(answers) == len(set(answers)) == space.size()


@_FEW
@given(space_texts())
def test_extremes_are_those_of_all_points(text: str) -> None:
    space = space_of(text)
    costs = [estimate(architecture, space.task) for architecture, _ in every_point(space)]
    for metric in METRICS:
        values = [getattr(cost, metric) for cost in costs]
        assert extreme(space, space.task, metric, largest=False).value == min(values)
        assert extreme(space, space.task, metric, largest=True).value == max(values)


@_FEW
@given(space_texts(), st.integers(0, 99))
def test_drawn_point_is_found_again(text: str, seed: int) -> None:
    space = space_of(text)
    architecture, _ = drawn(space, seed)
    answers = space.locate(architecture)
    assert answers is not None
    assert space.build(replaying(answers, space.dimensions())) == architecture
    assert space.contains(architecture)


@pytest.mark.slow
@_FEW
@given(space_texts(), space_texts(), st.integers(0, 99))
def test_point_of_another_space_is_located_only_if_it_can_be_built(text: str, other: str, seed: int) -> None:
    space = space_of(text)
    architecture, _ = drawn(space_of(other), seed)
    answers = space.locate(architecture)
    if answers is not None:
        assert space.build(replaying(answers, space.dimensions())) == architecture


@_FEW
@given(space_texts(), st.integers(0, 99))
def test_every_question_is_known_before_it_is_asked(text: str, seed: int) -> None:
    space = space_of(text)
    known = space.dimensions()
    rng = random.Random(seed)

    def ask(name: str, dimension: Dimension) -> Value:
        assert known[name] == dimension
        return dimension.draw(rng)

    point(lambda: space.build(ask))


@_FEW
@given(space_texts(), st.integers(0, 99))
def test_replaying_gives_the_same_point(text: str, seed: int) -> None:
    space = space_of(text)
    architecture, answers = drawn(space, seed)
    assert space.choices(replaying(answers, space.dimensions())) == (architecture, answers)


@_FEW
@given(space_texts(), st.integers(0, 99))
def test_architecture_survives_its_canonical_form(text: str, seed: int) -> None:
    architecture, _ = drawn(space_of(text), seed)
    again = Architecture.from_dict(architecture.to_dict())
    assert again == architecture
    assert again.id == architecture.id


@_FEW
@given(space_texts(), st.integers(0, 99))
def test_mutating_nothing_gives_the_parent(text: str, seed: int) -> None:
    space = space_of(text)
    architecture, answers = drawn(space, seed)
    assert space.build(mutating(answers, random.Random(seed), rate=0.0)) == architecture


@_FEW
@given(space_texts(), st.integers(0, 99))
def test_child_has_each_answer_from_a_parent_or_drawn(text: str, seed: int) -> None:
    space = space_of(text)
    (_, mother), (_, father) = drawn(space, seed), drawn(space, seed + 1)
    _, child = space.choices(crossing(mother, father, random.Random(seed)))
    for name, value in child.items():
        parents = [parent[name] for parent in (mother, father) if name in parent]
        assert not parents or value in parents
    _, same = space.choices(crossing(mother, mother, random.Random(seed)))
    assert same == mother


@_FEW
@given(space_texts(), st.integers(0, 99))
def test_sample_is_distinct_and_repeatable(text: str, seed: int) -> None:
    space = space_of(text)
    distinct = len({architecture for architecture, _ in every_point(space)})
    wanted = min(3, distinct)
    found = space.sample(wanted, seed=seed)
    assert len(set(found)) == wanted
    assert found == space.sample(wanted, seed=seed)
