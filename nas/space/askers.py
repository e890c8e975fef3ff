"""Askers: who answers the questions of a walk. A new algorithm is a new small function here or in `search`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Protocol, TypeVar

from nas.errors import MisfitError, UserError
from nas.registry import did_you_mean
from nas.schema.fields import shown
from nas.space.dimension import Ask, Dimension, Range, Value

T_co = TypeVar("T_co", covariant=True)


class _Walkable(Protocol[T_co]):
    def build(self, ask: Ask) -> T_co: ...


def drawing(rng: random.Random) -> Ask:
    """Uniform answers."""
    return lambda name, dimension: dimension.draw(rng)


def following(answers: Mapping[str, Value]) -> Ask:
    """The given answers, and the first value wherever there is none."""
    return lambda name, dimension: answers[name] if name in answers else dimension.values[0]


def replaying(answers: Mapping[str, Value], dimensions: Mapping[str, Dimension]) -> Ask:
    """The given answers, strictly: one that is missing, impossible or to no question of the space is an error.

    Args:
        answers: what to answer, by name.
        dimensions: every question of the space.

    Raises:
        UserError: at once for an answer to no question, during the walk for the others.
    """
    for name in answers:
        if name not in dimensions:
            raise UserError(f"{name!r} is no decision of this space; {did_you_mean(name, dimensions)}")

    def ask(name: str, dimension: Dimension) -> Value:
        if name not in answers:
            raise UserError(f"no answer for {name!r}; {_takes(dimension)}")
        if answers[name] not in dimension.values:
            raise UserError(f"{name!r} cannot be {shown(answers[name])} in this space; {_takes(dimension)}")
        return answers[name]

    return ask


def _takes(dimension: Dimension) -> str:
    if isinstance(dimension, Range):
        return f"it takes {dimension.low} to {dimension.values[-1]} in steps of {dimension.step}"
    return f"it takes {', '.join(map(shown, dimension.options))}"


def mutating(parent: Mapping[str, Value], rng: random.Random, *, rate: float) -> Ask:
    """The parent's answers, each drawn anew with probability `rate`, or where the parent has none."""

    def ask(name: str, dimension: Dimension) -> Value:
        inherited = name in parent and parent[name] in dimension.values
        return parent[name] if inherited and rng.random() >= rate else dimension.draw(rng)

    return ask


def crossing(mother: Mapping[str, Value], father: Mapping[str, Value], rng: random.Random) -> Ask:
    """Each answer from one of two parents at random; drawn where neither has one."""

    def ask(name: str, dimension: Dimension) -> Value:
        known = [p[name] for p in (mother, father) if name in p and p[name] in dimension.values]
        return rng.choice(known) if known else dimension.draw(rng)

    return ask


def enumerating(space: _Walkable[T_co]) -> Iterator[T_co]:
    """Every point of a space once, in a fixed order; only for spaces small enough to be seen to the end.

    Answers by which a part would not fit its place are no point.
    """
    trail: list[tuple[int, int]] | None = []  # (index of the answer, number of answers) of each question in turn
    while trail is not None:
        asked: list[tuple[int, int]] = []
        with suppress(MisfitError):
            yield space.build(_retracing(trail, asked))
        trail = _next_trail(asked)


def _retracing(trail: list[tuple[int, int]], asked: list[tuple[int, int]]) -> Ask:
    def ask(name: str, dimension: Dimension) -> Value:
        index = trail[len(asked)][0] if len(asked) < len(trail) else 0
        asked.append((index, len(dimension)))
        return dimension.values[index]

    return ask


def _next_trail(asked: list[tuple[int, int]]) -> list[tuple[int, int]] | None:
    for position in range(len(asked) - 1, -1, -1):
        index, size = asked[position]
        if index + 1 < size:
            return [*asked[:position], (index + 1, size)]
    return None
