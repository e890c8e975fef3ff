"""Types and rules of the fields of a frozen dataclass, stated once and checked everywhere.

A field's rule stands in its annotation (`kernel: Annotated[int, ODD]`). The dataclass checks it when it is made in
Python; a YAML reader checks it leaf by leaf, so that two mistakes in one mapping are two messages.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from nas.errors import FieldError


class Rule(NamedTuple):
    """A rule on one value.

    Attributes:
        holds: whether a value keeps it.
        sentence: states it.
        keywords: states it in JSON Schema, as text because annotations are hashed; empty where that cannot say it.
    """

    holds: Callable[[Any], bool]
    sentence: str
    keywords: str = "{}"


def within(low: float, high: float) -> Rule:
    """The value lies between `low` and `high`, both included."""
    keywords = json.dumps({"minimum": low, "maximum": high})
    return Rule(lambda value: low <= value <= high, f"must be between {low} and {high}", keywords)


ODD = Rule(lambda value: value % 2 == 1, "must be odd to keep the resolution", '{"not": {"multipleOf": 2}}')
POSITIVE = Rule(lambda value: value > 0, "must be above 0", '{"exclusiveMinimum": 0}')

Kernel = Annotated[int, within(1, 511), ODD]
Count = Annotated[int, within(1, 65536)]


class FieldType(NamedTuple):
    """What a field may hold.

    Attributes:
        plain: the scalar types and literal values it takes.
        spec: the class of the nested spec it takes, if it takes one.
        optional: whether None is allowed.
        rules: what else must hold of a scalar.
        default: the default, or `dataclasses.MISSING`.
        many: 0 for one value, 1 for a list of such values, 2 for a list of lists.
    """

    plain: tuple[Any, ...]
    spec: type | None
    optional: bool
    rules: tuple[Rule, ...]
    default: Any
    many: int = 0

    @property
    def entry(self) -> FieldType:
        """What one entry of a list may be."""
        return self._replace(many=self.many - 1)

    def problem(self, value: Any) -> str | None:
        """What is wrong with a scalar `value` or with a list, or None."""
        if self.many:
            if not isinstance(value, list | tuple):
                return f"must be a list, got {shown(value)}"
            return next(filter(None, map(self.entry._entry_problem, value)), None)
        if value is None:
            return None if self.optional else f"must be {self.expected}, not empty"
        if not self.accepts(value):
            return f"must be {self.expected}, got {shown(value)}"
        for rule in self.rules:
            if not isinstance(value, str) and not rule.holds(value):  # a word beside numbers is one of the literals
                return f"{rule.sentence}, got {shown(value)}"
        if isinstance(value, int | float) and not abs(value) <= _LARGEST:  # so written, it refuses nan too
            return f"must be a number between {-_LARGEST:,} and {_LARGEST:,}, got {shown(value)}"
        return None

    def _entry_problem(self, value: Any) -> str | None:
        return None if self.holds_spec(value) else self.problem(value)

    def holds_spec(self, value: Any) -> bool:
        """Whether `value` is a part of the class that the field takes."""
        return self.spec is not None and not self.many and isinstance(value, self.spec)

    def accepts(self, value: Any) -> bool:
        """Whether `value` is of one of the types or is one of the literals; true is no 1, and 1 is a fraction too."""
        kind = type(value)
        if kind in self.plain or (kind is int and float in self.plain):
            return True
        return any(type(literal) is kind and literal == value for literal in self.plain)

    @property
    def expected(self) -> str:
        """The allowed values in words."""
        names = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
        words = [names[kind] if isinstance(kind, type) else shown(kind) for kind in self.plain]
        if self.spec is not None:
            word = self.spec.__name__.lower()
            words.append(f"{'an' if word[0] in 'aeiou' else 'a'} {word}")
        if self.optional:
            words.append("null")
        return " or ".join(words)


_LARGEST = 10**6  # nothing in an architecture is as large; beyond, costs no longer fit a database's integers


def shown(value: Any) -> str:
    """A plain value as it would stand in YAML: `true` and `null`, not Python's words; long ones are cut.

    >>> shown(True), shown([None, "conv"]), shown({"kernel": 3})
    ('true', "[null, 'conv']", '{kernel: 3}')
    """
    if isinstance(value, Mapping):
        text = f"{{{', '.join(f'{key}: {shown(one)}' for key, one in value.items())}}}"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(map(shown, value))}]"
    elif value is None or isinstance(value, bool):
        text = "null" if value is None else str(value).lower()
    elif isinstance(value, float) and not math.isfinite(value):
        text = f"{'-' if value < 0 else ''}.{'nan' if math.isnan(value) else 'inf'}"
    else:
        text = repr(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


_WIDEST = 80


_KNOWN: dict[type, Mapping[str, FieldType]] = {}


def field_types(cls: type) -> Mapping[str, FieldType]:
    """The fields of a dataclass, by name, in order."""
    if cls not in _KNOWN:
        hints = typing.get_type_hints(cls, include_extras=True)
        _KNOWN[cls] = {field.name: _field_type(hints[field.name], field) for field in dataclasses.fields(cls)}
    return _KNOWN[cls]


def _field_type(hint: Any, field: dataclasses.Field[Any]) -> FieldType:
    plain: list[Any] = []
    rules: list[Rule] = []
    spec: type | None = None
    optional = False
    many = 0
    stack = [hint]
    while stack:
        part = stack.pop(0)
        origin = typing.get_origin(part)
        if origin is tuple:
            many += 1
            stack.insert(0, typing.get_args(part)[0])
            continue
        if origin is Annotated:
            rules += [extra for extra in part.__metadata__ if isinstance(extra, Rule)]
            stack.insert(0, part.__origin__)
        elif origin in (types.UnionType, typing.Union):
            stack = list(typing.get_args(part)) + stack
        elif origin is Literal:
            plain += typing.get_args(part)
        elif part is type(None):
            optional = True
        elif part in (int, float, bool, str):
            plain.append(part)
        else:
            spec = part
    default = field.default
    if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return FieldType(tuple(plain), spec, optional, tuple(rules), default, many)


def check_fields(instance: Any) -> None:
    """Raise FieldError for the first field of a frozen dataclass instance that breaks its type or a rule.

    A whole number in a field of fractions becomes one (4 -> 4.0), so that equal structures look equal.
    """
    for name, kind in field_types(type(instance)).items():
        value = getattr(instance, name)
        if kind.holds_spec(value):
            continue
        problem = kind.problem(value)
        if problem is not None:
            raise FieldError(name, problem)
        if kind.many:
            object.__setattr__(instance, name, frozen(value))
        elif isinstance(value, int) and float in kind.plain and int not in kind.plain:
            object.__setattr__(instance, name, float(value))


def frozen(value: Any) -> Any:
    """Lists, at every depth, as tuples."""
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value
