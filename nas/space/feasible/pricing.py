"""Many specs of one kind and the exact price of each, without making every one of them.

A part of an architecture costs what its own layers cost plus what the parts inside it cost, and how often. So a kind is
priced once for each combination of its scalars with *unknowns* in place of the parts inside; each unknown answers with
a price that is a digit of its own in a very large number base, and the digits of the sum say how often, and where, each
part inside is paid for. The rest is addition: 22 mixers, 3 norms and 72 combinations of scalars take a hundred calls of
the closed form, not 4,752. A kind that looks deeper into its parts than `cost` and `require` is priced one by one.
"""

from __future__ import annotations

import dataclasses
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.cost import Cost
from nas.errors import UserError
from nas.layers import Block, Site, Spec, blocks
from nas.schema.fields import FieldType, field_types
from nas.space.feasible.fingerprints import digest, field_key, key_of, total
from nas.space.feasible.options import MOST_OPTIONS, Option, TooManyError
from nas.space.feasible.rows import AnswerSets, answers_of, combined

COSTS = tuple(field.name for field in dataclasses.fields(Cost))
"""What a table of costs holds, in the order of its last axis."""

Costs = NDArray[np.int64]
_DIGIT = 80  # bits of a digit; a cost is below 2**63
_PROVED = 3  # specs of each site that are priced one by one as well
_Asked = list[tuple[int, Site]]  # the groups of parts that a kind asked the price or the rules of, and where


def costs_of(spec: Spec, site: Site) -> tuple[int, ...]:
    """The price of one spec, in the order of `COSTS`."""
    cost = spec.cost(site)
    return tuple(getattr(cost, name) for name in COSTS)


def stands(spec: Spec, site: Site) -> bool:
    """Whether a spec keeps its rules at a site."""
    try:
        spec.require(site)
    except UserError:
        return False
    return True


class BlockSet(ABC):
    """Blocks that are priced together, and what answers to them.

    Attributes:
        answers: the answers of each.
        keys: a fingerprint of each, (specs,).
    """

    answers: AnswerSets
    keys: NDArray[np.uint64]

    @abstractmethod
    def price(self, site: Site, allowed: NDArray[np.bool_]) -> Costs:
        """What each of the `allowed` costs at `site`, (specs, COSTS); the others are left at 0."""

    @abstractmethod
    def allowed(self, site: Site) -> NDArray[np.bool_]:
        """Which of them may stand at `site`, (specs,)."""


class ListedBlocks(BlockSet):
    """Blocks that are there one by one."""

    def __init__(self, specs: Sequence[Block], answers: AnswerSets) -> None:
        """As many sets of answers as specs."""
        self.specs = specs
        self.answers = answers
        self.keys = np.array([key_of(spec) for spec in specs], np.uint64)

    def price(self, site: Site, allowed: NDArray[np.bool_]) -> Costs:
        """One call of the closed form each."""
        found = np.zeros((len(self.specs), len(COSTS)), np.int64)
        for index in np.flatnonzero(allowed).tolist():
            found[index] = costs_of(self.specs[index], site)
        return found

    def allowed(self, site: Site) -> NDArray[np.bool_]:
        """One call of `require` each."""
        return np.array([stands(spec, site) for spec in self.specs], bool)


class FieldGroup(NamedTuple):
    """Fields of one kind whose answers belong together: by a condition, or because it is only one.

    Attributes:
        codes: the answers of each option.
        values: the fields of each option, nested specs read.
        is_part: whether it is one field that takes a nested spec, and has several options.
    """

    codes: list[dict[str, int]]
    values: list[dict[str, Any]]
    is_part: bool


class InseparableError(Exception):
    """A kind looks into the parts inside it."""


class CombinedBlocks(BlockSet):
    """Blocks of one kind: every combination of the options of its groups of fields."""

    def __init__(self, kind: str, groups: Sequence[FieldGroup], prefix: Mapping[str, int]) -> None:
        """`prefix`: the answers that lead to this kind.

        Raises:
            TooManyError: too many combinations.
            InseparableError: the kind has rules that join its fields.
        """
        self._class = blocks[kind]
        types = field_types(self._class)
        if self._class.check is not Spec.check or any(one.default is dataclasses.MISSING for one in types.values()):
            raise InseparableError
        self._groups = groups
        self._shape = tuple(len(group.values) for group in groups)
        if np.prod(self._shape, dtype=float) > MOST_OPTIONS:
            raise TooManyError
        self._defaults = {name: one.default for name, one in types.items()}
        self._templates = list(self._all_templates())
        self._inside: dict[tuple[int, Site], Costs] = {}
        self.answers = combined([answers_of([prefix]), *(answers_of(group.codes) for group in groups)])
        self.keys = self._fingerprints(kind, types)

    def price(self, site: Site, allowed: NDArray[np.bool_]) -> Costs:
        """A sum over the parts inside, exactly.

        Raises:
            InseparableError: the price is no such sum.
        """
        found = np.zeros((*self._shape, len(COSTS)), np.int64)
        with np.errstate(over="ignore"):
            for template in self._templates:
                found[template.grid] = self._priced(template, site)
        flat = found.reshape(-1, len(COSTS))
        self._prove(flat, site, allowed)
        return flat

    def allowed(self, site: Site) -> NDArray[np.bool_]:
        """What the kind and each part inside require.

        Raises:
            InseparableError: what it requires is not for each part alone.
        """
        found = np.zeros(self._shape, bool)
        for template in self._templates:
            asked: _Asked = []
            spec = self._spec(template.values, asked)
            try:
                spec.require(site)
            except UserError:
                continue
            except Exception as error:  # whatever an unknown part makes it do
                raise InseparableError from error
            fits = np.ones([len(one) for one in template.options], bool)
            for group, inner in asked:
                options = [stands(self._part(group, index), inner) for index in template.options[group]]
                fits &= self._along(np.array(options), group)
            found[template.grid] = fits
        return found.reshape(-1)

    def one(self, index: int) -> Block:
        """The spec at `index`, in full."""
        values = dict(self._defaults)
        for group, option in zip(self._groups, np.unravel_index(index, self._shape), strict=True):
            values.update(group.values[int(option)])
        return self._class(**values)

    def listed(self) -> ListedBlocks:
        """The same blocks, to be priced one by one."""
        return ListedBlocks([self.one(index) for index in range(len(self.keys))], self.answers)

    def _priced(self, template: _Template, site: Site) -> Costs:
        """Prices of all that a template stands for, (options of each group ..., COSTS)."""
        asked: _Asked = []
        try:
            numbers = costs_of(self._spec(template.values, asked), site)
        except Exception as error:  # whatever an unknown part makes it do
            raise InseparableError from error
        digits = np.array([_digits(number, len(asked) + 1) for number in numbers], np.int64)  # (COSTS, 1 + asked)
        found = np.broadcast_to(digits[:, 0], (*(len(one) for one in template.options), len(COSTS))).copy()
        for (group, inner), times in zip(asked, digits[:, 1:].T, strict=True):
            found += self._along(self._inner_prices(group, inner)[template.options[group]] * times, group)
        return found

    def _inner_prices(self, group: int, site: Site) -> Costs:
        """What each option of a part inside costs at `site`; 0 where it may not stand or is left out."""
        if (group, site) not in self._inside:
            parts = [self._part(group, index) for index in range(self._shape[group])]
            fits = [part is not None and stands(part, site) for part in parts]
            nothing = (0,) * len(COSTS)
            rows = [costs_of(part, site) if fit else nothing for part, fit in zip(parts, fits, strict=True)]
            self._inside[group, site] = np.array(rows, np.int64)
        return self._inside[group, site]

    def _part(self, group: int, index: int) -> Any:
        (value,) = self._groups[group].values[index].values()
        return value

    def _along(self, values: NDArray[Any], group: int) -> NDArray[Any]:
        """One value (or row of costs) an option of a group, shaped to be added to all combinations."""
        before, after = (1,) * group, (1,) * (len(self._shape) - group - 1)
        return values.reshape(*before, len(values), *after, *values.shape[1:])

    def _all_templates(self) -> Iterator[_Template]:
        for choice in itertools.product(*(self._cases(index) for index in range(len(self._groups)))):
            values = dict(self._defaults)
            for case in choice:
                values.update(case[1])
            stand_for = [np.array(case[0], np.intp) for case in choice]
            yield _Template(stand_for, np.ix_(*stand_for), values)

    def _cases(self, group: int) -> Iterator[tuple[list[int], dict[str, Any]]]:
        """What the kind itself can tell apart of a group: each option, or a part, whichever, and none."""
        options = self._groups[group]
        if not options.is_part:
            yield from (([index], values) for index, values in enumerate(options.values))
            return
        (name,) = options.values[0]
        filled = [index for index, values in enumerate(options.values) if isinstance(values[name], Spec)]
        yield from (([i], values) for i, values in enumerate(options.values) if not isinstance(values[name], Spec))
        if filled:
            yield filled, {name: _OpenField(group)}

    def _spec(self, values: Mapping[str, Any], asked: _Asked) -> Block:
        """A spec with unknowns in it, which its constructor would refuse."""
        spec = object.__new__(self._class)
        for name, value in values.items():
            object.__setattr__(spec, name, _Unknown(value.group, asked) if isinstance(value, _OpenField) else value)
        return spec

    def _prove(self, prices: Costs, site: Site, allowed: NDArray[np.bool_]) -> None:
        """Price a few one by one."""
        which = np.flatnonzero(allowed)
        for index in which[:: max(1, len(which) // _PROVED)]:
            if costs_of(self.one(int(index)), site) != tuple(prices[index].tolist()):
                raise InseparableError

    def _fingerprints(self, kind: str, types: Mapping[str, FieldType]) -> NDArray[np.uint64]:
        named = {name for group in self._groups for name in group.values[0]}
        rest = (field_key(kind, name, one.default) for name, one in types.items() if name not in named)
        found = np.full((1,) * len(self._shape), total((digest(kind), *rest)), np.uint64)
        for index, group in enumerate(self._groups):
            keys = [total(field_key(kind, name, value) for name, value in one.items()) for one in group.values]
            found = found + self._along(np.array(keys, np.uint64), index)
        return found.reshape(-1)


class _Template(NamedTuple):
    """Blocks that differ only in the parts inside them.

    Attributes:
        options: the options of each group that it stands for.
        grid: their places among all combinations.
        values: the fields, parts inside left open.
    """

    options: list[NDArray[np.intp]]
    grid: tuple[NDArray[np.intp], ...]
    values: dict[str, Any]


class _OpenField(NamedTuple):
    """A field that is left open: any spec of a group."""

    group: int


class _Unknown:
    """Stands for a part inside: notes the sites it is priced at or required to stand at."""

    def __init__(self, group: int, asked: _Asked) -> None:
        self._group = group
        self._asked = asked

    def cost(self, site: Site) -> Cost:
        """A digit of its own."""
        self._asked.append((self._group, site))
        digit = 1 << (_DIGIT * len(self._asked))
        return Cost(*(digit for _ in COSTS))

    def require(self, site: Site) -> None:
        """Left to the parts it stands for."""
        self._asked.append((self._group, site))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Nobody may ask what kind it is."""
        raise InseparableError

    def __eq__(self, other: object) -> bool:
        raise InseparableError

    __hash__ = None  # type: ignore[assignment]


def _digits(number: int, count: int) -> list[int]:
    """The digits of a price, the lowest first: what is known, then how often each unknown counts."""
    mask = (1 << _DIGIT) - 1
    found = [(number >> (_DIGIT * index)) & mask for index in range(count)]
    if number >> (_DIGIT * count) or max(found) >= 1 << 62:
        raise InseparableError
    return found


def field_group(kind: str, found: Sequence[Option]) -> FieldGroup:
    """A group of the options of some fields of a kind, as plain data; those that break a rule are left out."""
    types = field_types(blocks[kind])
    codes, values = [], []
    for option in found:
        try:
            spec = blocks.read({"kind": kind, **option.value})
        except UserError:
            continue
        codes.append(option.codes)
        values.append({name: getattr(spec, name) for name in option.value})
    names = list(found[0].value)
    return FieldGroup(codes, values, len(names) == 1 and len(values) > 1 and types[names[0]].spec is not None)
