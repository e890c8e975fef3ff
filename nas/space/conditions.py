"""Conditions in a space: what a field beside must be."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from nas.layers import Spec, family_of
from nas.schema.fields import FieldType, shown
from nas.schema.nodes import Node
from nas.space.tree import Test

_COMPARISON = re.compile(r"(>=|<=|>|<|!=)\s*(-?\d+(?:\.\d+)?)")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "!=": lambda a, b: a != b,
}


def test_of(wanted: Any) -> Test:
    """A test from its YAML form: a value, a list of values, or a comparison such as '>= 13'."""
    match = _COMPARISON.fullmatch(wanted) if isinstance(wanted, str) else None
    if match is not None:
        compare, limit = _COMPARE[match[1]], float(match[2])
        return lambda value: isinstance(value, int | float) and compare(value, limit)
    options = wanted if isinstance(wanted, list) else [wanted]
    return lambda value: (value.get("kind") if isinstance(value, Mapping) else value) in options


def test_problem(wanted: Node, kind: FieldType) -> str | None:
    """Why a test of a field can never hold, or None."""
    if isinstance(wanted.value, str) and wanted.value[:1] in "<>=!":
        if _COMPARISON.fullmatch(wanted.value) is None:
            return f"is no comparison such as '>= 13', got {shown(wanted.value)}"
        return None if {int, float} & set(kind.plain) else "compares, but the field is no number"
    if wanted.is_mapping or any(one.is_mapping or one.is_list for one in wanted.items):
        return f"takes a value, a list of values or a comparison, got {shown(wanted.plain())}"
    for one in wanted.items or [wanted]:
        if kind.spec is not None and one.value in family_of(kind.spec):
            continue
        problem = kind.problem(one.value)
        if problem is not None:
            return f"can never hold: it {problem}"
    return None


def unwritten(kind: FieldType) -> Any:
    """What a field that the file leaves out looks like to a condition."""
    default = kind.default
    return default.kind if isinstance(default, Spec) else None if default is dataclasses.MISSING else default
