"""All ways to answer the questions of one part of a space."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from nas.space.askers import enumerating
from nas.space.dimension import Ask, Dimension, Value
from nas.space.tree import Struct, Walk, conditions

MOST_OPTIONS = 500_000
"""Options of one part that tables may have; a space whose parts have more is walked instead."""

MOST_WALKED = 20_000
"""Options that are listed by walking, one by one: half a second."""


class TooManyError(Exception):
    """The decisions of a part are coupled too much to list its options; the message says which."""

    def __init__(self, why: str = "a part has too many combinations of answers") -> None:
        super().__init__(why)


class Option(NamedTuple):
    """One way to answer: the index of each answer by name, and what the walk gave."""

    codes: dict[str, int]
    value: Any


def options(resolve: Callable[[Walk], Any], *, asked: Callable[[str], bool] | None = None) -> list[Option]:
    """Every option of a part, in a fixed order.

    Args:
        resolve: the walk over the part.
        asked: the decisions that vary; the others answer their first. All, where it is left out.

    Raises:
        TooManyError: there are more than `MOST_WALKED`.
    """
    found = list(itertools.islice(enumerating(_Recorded(resolve, asked)), MOST_WALKED + 1))
    if len(found) > MOST_WALKED:
        raise TooManyError
    return found


class _Recorded:
    """A walk whose answers are kept as indices."""

    def __init__(self, resolve: Callable[[Walk], Any], asked: Callable[[str], bool] | None) -> None:
        self._resolve = resolve
        self._asked = asked

    def build(self, ask: Ask) -> Option:
        codes: dict[str, int] = {}

        def recorded(name: str, dimension: Dimension) -> Value:
            if self._asked is not None and not self._asked(name):
                return dimension.values[0]
            value = ask(name, dimension)
            codes[name] = dimension.index(value)
            return value

        value = self._resolve(Walk(recorded))
        return Option(codes, value)


def independent(struct: Struct) -> Iterator[Struct]:
    """The fields of a mapping in groups that no condition joins, each as a mapping of its own."""
    groups: list[set[str]] = [{name} for name in struct.fields]
    for name, tree in struct.fields.items():
        linked = {name, *(tested for one in conditions(tree) for tested in one.tests if tested in struct.fields)}
        joined = [group for group in groups if group & linked]
        groups = [group for group in groups if not group & linked] + [set().union(*joined)]
    for group in groups:
        yield part_of(struct, lambda name, group=group: name in group)  # type: ignore[misc]


def part_of(struct: Struct, keep: Callable[[str], bool]) -> Struct:
    """A mapping with some of the fields, without the kind."""
    fields: Mapping[str, Any] = {name: tree for name, tree in struct.fields.items() if keep(name)}
    return Struct(fields, struct.mark)
