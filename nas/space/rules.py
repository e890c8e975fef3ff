"""Trying a space before it is searched: rules that join several fields should break now.

A rule that joins a part with its place (groups divide the width) is none of these: answers that break it are no point
of the space, and it breaks the space only where nothing is left.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from nas.architecture import Architecture
from nas.errors import MisfitError, UserError
from nas.space.askers import drawing, following
from nas.space.dimension import Answers, Ask, Dimension, Range, Value
from nas.space.fitting import fitting
from nas.space.root import Root
from nas.space.tree import Walk

_LONGEST = 33  # values of a long range that are tried, ends included
_DRAWS = 32  # random points that are tried besides
_ENOUGH = 10  # broken rules that are reported


class Findings(NamedTuple):
    """What walks through a space met.

    Attributes:
        broken: rules between fields that answers break, each with the fewest answers that break it while all others are
            the first; where the first answers alone break it, with the first of them that another would mend, if any.
            And options that fit nowhere, whatever the other answers.
        misfit: a part that did not fit its place, if one did not.
        is_empty: whether no walk found a network, and none was found near one.
    """

    broken: list[tuple[Answers, UserError]]
    misfit: MisfitError | None
    is_empty: bool


def try_options(root: Root) -> Findings:
    """Walk through a space with every option of every decision at least once, then to a few random points.

    At first several new options are tried in a walk. A space has far too many points to try them all, so a rule that
    only rare combinations break can be missed.
    """
    tried: dict[str, set[Value]] = {}
    broken: dict[str, tuple[Answers, UserError]] = {}
    misfit: MisfitError | None = None
    outside: Answers = {}
    fits: dict[str, set[Value]] = {}
    for ask in _asks(tried):
        walk = Walk(ask)
        try:
            Architecture.from_dict(root.resolve(walk))
        except MisfitError as error:
            misfit, outside = misfit or error, outside or walk.answers
            _add(tried, walk.answers)
        except UserError as error:
            culprits = _fewest(root, walk.answers, error)
            fresh = {name: value for name, value in culprits.items() if value not in tried.setdefault(name, set())}
            _add(tried, fresh or walk.answers)
            broken.setdefault(str(error), (culprits or _first_to_blame(root), error))
            if not culprits or len(broken) >= _ENOUGH:
                break
        else:
            _add(tried, walk.answers)
            _add(fits, walk.answers)
    if misfit is None or broken:
        return Findings(list(broken.values()), misfit, is_empty=False)
    if not fits and not _is_near(root, outside):
        return Findings([], misfit, is_empty=True)
    return Findings(list(_fitting_nowhere(root, fits)), misfit, is_empty=False)


def _fitting_nowhere(root: Root, fits: Mapping[str, set[Value]]) -> Iterator[tuple[Answers, UserError]]:
    """Options that fit in no stage; those that fit in some stand, and so do the numbers of a range."""
    for decision in root.decisions():
        if isinstance(decision.dimension, Range):
            continue
        names = decision.names()
        known = set().union(*(fits.get(name, set()) for name in names))
        for value in _some(decision.dimension.values):
            if value in known:
                continue
            misfits = [_misfit_near(root, {name: value}) for name in names]
            if None not in misfits and isinstance(misfits[0], UserError):
                yield {names[0]: value}, misfits[0]


def _is_near(root: Root, answers: Answers) -> bool:
    """Whether there is a network near a point where parts do not fit."""
    try:
        fitting(root, following(answers))
    except UserError:
        return False
    return True


def _misfit_near(root: Root, answers: Answers) -> UserError | None:
    """What does not fit at a point and at all near it that have these answers; None where there is a network."""
    try:
        fitting(root, following(answers), kept=answers)
    except UserError as error:
        return error
    return None


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
