"""Trying a space before it is searched: rules that join several fields should break now."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from nas.architecture import Architecture
from nas.errors import UserError
from nas.space.askers import drawing, following
from nas.space.dimension import Answers, Ask, Dimension, Value
from nas.space.root import Root
from nas.space.tree import Walk

_LONGEST = 33  # values of a long range that are tried, ends included
_DRAWS = 32  # random points that are tried besides
_ENOUGH = 10  # broken rules that are reported


def broken_rules(root: Root) -> Iterator[tuple[Answers, UserError]]:
    """Rules that answers break, each with the fewest answers that break it while all others are the first.

    Where the first answers alone break it, it comes with the first of them that another answer would mend, if any.

    Every option of every decision is tried at least once, at first several new ones in a walk; then a few random
    points. A space has far too many points to try them all, so a rule that only rare combinations break can be missed.
    """
    tried: dict[str, set[Value]] = {}
    reported: set[str] = set()
    for ask in _asks(tried):
        walk = Walk(ask)
        try:
            Architecture.from_dict(root.resolve(walk))
        except UserError as error:
            culprits = _fewest(root, walk.answers, error)
            fresh = {name: value for name, value in culprits.items() if value not in tried.setdefault(name, set())}
            _add(tried, fresh or walk.answers)
            if str(error) not in reported:
                reported.add(str(error))
                yield culprits or _first_to_blame(root), error
            if not culprits or len(reported) >= _ENOUGH:
                return
        else:
            _add(tried, walk.answers)


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
        left = [value for value in _some(dimension.values) if value not in tried.get(name, ())]
        if left:
            open_names.add(name)
        return left[0] if left else dimension.values[0]

    return ask


def _some(values: Sequence[Value]) -> Sequence[Value]:
    """All values of a decision, or some at even distances, ends included, where there are many."""
    if len(values) <= _LONGEST:
        return values
    return [values[round(index * (len(values) - 1) / (_LONGEST - 1))] for index in range(_LONGEST)]


def _fewest(root: Root, answers: Answers, error: UserError) -> Answers:
    """The answers that are needed to break the same rule."""
    needed = dict(answers)
    for name in answers:
        fewer = {other: value for other, value in needed.items() if other != name}
        try:
            root.build(following(fewer))
        except UserError as again:
            if type(again) is type(error):
                needed = fewer
    return needed


def _first_to_blame(root: Root) -> Answers:
    """The first answer that breaks a rule which another answer to the same question keeps."""
    for name, dimension in root.dimensions().items():
        for value in _some(dimension.values)[1:]:
            with suppress(UserError):
                root.build(following({name: value}))
                return {name: dimension.values[0]}
    return {}


def _add(tried: dict[str, set[Value]], answers: Answers) -> None:
    for name, value in answers.items():
        tried.setdefault(name, set()).add(value)
