"""Walks that end at a network: answers by which a part does not fit its place are exchanged for near ones.

A rule that joins a part with its place (its groups divide the width there) cuts points out of a space that no question
can leave out by itself. Tables know them all; who answers question by question does not, and is led to a point nearby.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import NamedTuple

from nas.architecture import Architecture
from nas.errors import MisfitError, UserError
from nas.space.askers import following
from nas.space.dimension import Answers, Ask, Dimension, Value
from nas.space.root import Root

_MOST_PAIRS = 2000  # pairs of answers that are tried where no single one helps: half a second


def fitting(root: Root, ask: Ask, *, kept: Collection[str] = ()) -> tuple[Architecture, Answers]:
    """The network that `ask` describes, or one near it whose parts fit, with the answers that give it.

    From the image on, the first part that does not fit is made to: by another answer of its stage, the nearest first
    and of these the last asked; by two, where one is not enough. The same answers lead to the same point.

    Args:
        root: the space.
        ask: who answers.
        kept: names of answers that must stay.

    Raises:
        FieldError: the answers break a rule between fields.
        MisfitError: no point was found nearby.
    """
    asked: Answers = {}

    def noting(name: str, dimension: Dimension) -> Value:
        asked[name] = ask(name, dimension)
        return asked[name]

    try:
        return root.choices(noting)
    except MisfitError as error:
        found: _Tried = _Tried(None, asked, error)
    while found.misfit is not None:
        found = _mended(root, found.answers, found.misfit, kept)
    assert found.architecture is not None
    return found.architecture, found.answers


class _Tried(NamedTuple):
    """What a set of answers gives: a network, or its first part that does not fit."""

    architecture: Architecture | None
    answers: Answers
    misfit: MisfitError | None


def _mended(root: Root, answers: Answers, misfit: MisfitError, kept: Collection[str]) -> _Tried:
    """The nearest answers by which the part fits; those that come later may still not."""
    dimensions = root.dimensions()
    names = [name for name in reversed(answers) if name not in kept and _concerns(name, misfit.part)]
    single = [[(name, value)] for name, value in _others(names, answers, dimensions)]
    pairs = ([*a, *b] for a, b in itertools.combinations(single, 2) if a[0][0] != b[0][0])
    for change in itertools.chain(single, itertools.islice(pairs, _MOST_PAIRS)):
        tried = _tried(root, {**answers, **dict(change)})
        if tried is not None and (tried.misfit is None or _place(tried.misfit.part) > _place(misfit.part)):
            return tried
    raise misfit


def _tried(root: Root, answers: Answers) -> _Tried | None:
    """None where the answers break a rule between fields."""
    asked: Answers = {}
    follow = following(answers)

    def noting(name: str, dimension: Dimension) -> Value:
        asked[name] = follow(name, dimension)
        return asked[name]

    try:
        return _Tried(root.build(noting), asked, None)
    except MisfitError as error:
        return _Tried(None, asked, error)
    except UserError:
        return None


def _others(names: list[str], answers: Answers, dimensions: dict[str, Dimension]) -> list[tuple[str, Value]]:
    """Every other answer to these questions, the nearest first."""
    found = []
    for name in names:
        own = dimensions[name].index(answers[name])
        found += [(abs(code - own), name, value) for code, value in enumerate(dimensions[name].values) if code != own]
    return [(name, value) for _, name, value in sorted(found, key=lambda one: one[0])]


def _concerns(name: str, part: str) -> bool:
    """Whether a question may change how a part fits: those of its stage, those that stages share; all for the head."""
    owner = name.split(".")
    if part == "head":
        return True
    return owner[0] != "stages" or not owner[1].isdigit() or part.split(".")[:2] == owner[:2]


_ORDER = {"downsample": 0, "blocks": 1, "norm": 2}


def _place(part: str) -> tuple[int, ...]:
    """Where a part stands, from the image to the logits."""
    words = part.split(".")
    if words[0] != "stages":
        return (-1,) if words[0] == "stem" else (1 << 30,)
    return (int(words[1]), _ORDER[words[2]], *map(int, words[3:]))
