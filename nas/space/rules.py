"""Trying a space before it is searched: rules that join several fields should break now."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nas.errors import UserError
from nas.space.askers import drawing, following
from nas.space.dimension import Answers, Ask, Dimension, Value

Build = Callable[[Ask], Any]

_LONGEST = 33  # values of a long range that are tried, ends included
_DRAWS = 32  # random points that are tried besides
_ENOUGH = 10  # broken rules that are reported


def broken_rules(build: Build) -> Iterator[tuple[Answers, UserError]]:
    """Rules that answers break, each with the fewest answers that break it while all others are the first.

    Every option of every decision is tried at least once, at first several new ones in a walk; then a few random
    points. A space has far too many points to try them all, so a rule that only rare combinations break can be missed.

    Args:
        build: builds the point an asker describes.
    """
    tried: dict[str, set[Value]] = {}
    reported: set[str] = set()
    for ask in _asks(tried):
        answers: Answers = {}
        try:
            build(_recording(ask, answers))
        except UserError as error:
            culprits = _fewest(build, answers, error)
            fresh = {name: value for name, value in culprits.items() if value not in tried.setdefault(name, set())}
            _add(tried, fresh or answers)
            if str(error) not in reported:
                reported.add(str(error))
                yield culprits, error
            if not culprits or len(reported) >= _ENOUGH:
                return
        else:
            _add(tried, answers)


def _asks(tried: Mapping[str, set[Value]]) -> Iterator[Ask]:
    """Askers until everything that was asked has been tried, then random ones."""
    open_names: set[str] = {""}
    while open_names:
        open_names.clear()
        yield _unasked(tried, open_names)
    yield from (drawing(random.Random(seed)) for seed in range(_DRAWS if any(map(_several, tried.values())) else 0))


def _several(values: set[Value]) -> bool:
    return len(values) > 1


def _unasked(tried: Mapping[str, set[Value]], open_names: set[str]) -> Ask:
    """Answers what has not been tried; notes the names that had something left."""

    def ask(name: str, dimension: Dimension) -> Value:
        left = [value for value in some(dimension.values) if value not in tried.get(name, ())]
        if left:
            open_names.add(name)
        return left[0] if left else dimension.values[0]

    return ask


def some(values: Sequence[Value]) -> Sequence[Value]:
    """All values of a decision, or some at even distances, ends included, where there are many."""
    if len(values) <= _LONGEST:
        return values
    return [values[round(index * (len(values) - 1) / (_LONGEST - 1))] for index in range(_LONGEST)]


def _fewest(build: Build, answers: Answers, error: UserError) -> Answers:
    """The answers that are needed to break the same rule."""
    needed = dict(answers)
    for name in answers:
        fewer = {other: value for other, value in needed.items() if other != name}
        try:
            build(following(fewer))
        except UserError as again:
            if type(again) is type(error):
                needed = fewer
    return needed


def _recording(ask: Ask, answers: Answers) -> Ask:
    def recorded(name: str, dimension: Dimension) -> Value:
        answers[name] = ask(name, dimension)
        return answers[name]

    return recorded


def _add(tried: dict[str, set[Value]], answers: Answers) -> None:
    for name, value in answers.items():
        tried.setdefault(name, set()).add(value)
