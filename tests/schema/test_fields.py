from __future__ import annotations

import doctest
import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from nas.errors import FieldError
from nas.schema import fields
from nas.schema.fields import POSITIVE, Count, FieldType, Kernel, check_fields, field_types, shown


@dataclass(frozen=True)
class Inner:
    size: Count = 1

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Spec:
    kernel: Kernel = 3
    ratio: Annotated[float, POSITIVE] = 4
    scale: float | None = None
    bias: bool = True
    place: Literal["before", "after"] = "before"
    mode: bool | Literal["auto"] = "auto"
    inner: Inner | None = Inner()

    def __post_init__(self) -> None:
        check_fields(self)


def test_types_are_read_from_the_annotations() -> None:
    types = field_types(Spec)
    assert list(types) == ["kernel", "ratio", "scale", "bias", "place", "mode", "inner"]
    assert types["scale"].optional
    assert types["inner"].spec is Inner
    assert types["place"].plain == ("before", "after")
    assert types["kernel"].default == 3


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("kernel", 4, "must be odd to keep the resolution, got 4"),
        ("kernel", 0, "must be between 1 and 511, got 0"),
        ("kernel", 10**30, "must be between 1 and 511"),
        ("kernel", 3.0, "must be a whole number, got 3.0"),
        ("kernel", True, "must be a whole number, got true"),
        ("kernel", "7", "must be a whole number, got '7'"),
        ("kernel", None, "must be a whole number, not empty"),
        ("kernel", [3], "must be a whole number, got [3]"),
        ("ratio", 0, "must be above 0, got 0"),
        ("ratio", math.nan, "must be above 0, got .nan"),
        ("ratio", math.inf, "must be a number between -1,000,000 and 1,000,000, got .inf"),
        ("ratio", 10**400, "must be a number between -1,000,000 and 1,000,000"),
        ("scale", math.nan, "must be a number between -1,000,000 and 1,000,000, got .nan"),
        ("scale", "small", "must be a number or null, got 'small'"),
        ("bias", 1, "must be true or false, got 1"),
        ("place", "befor", "must be 'before' or 'after', got 'befor'"),
        ("mode", 1, "must be true or false or 'auto', got 1"),
        ("inner", 3, "must be an inner or null, got 3"),
    ],
)
def test_value_that_breaks_a_rule_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        Spec(**{field: value})
    assert caught.value.field == field
    assert caught.value.rule.startswith(message)


@pytest.mark.parametrize(
    ("field", "value"),
    [("kernel", 511), ("ratio", 0.5), ("scale", None), ("scale", -1), ("bias", False), ("mode", True), ("inner", None),
     ("inner", Inner(size=2))],
)  # fmt: skip
def test_value_that_keeps_the_rules_is_kept(field: str, value: Any) -> None:
    assert getattr(Spec(**{field: value}), field) == value


def test_whole_number_in_a_field_of_fractions_becomes_one() -> None:
    assert type(Spec(ratio=2).ratio) is float
    assert repr(Spec(ratio=2)) == repr(Spec(ratio=2.0))


def test_accepts_looks_at_types_alone() -> None:
    whole = FieldType((int,), None, False, (), 0)
    assert whole.accepts(-5)
    assert not whole.accepts(True)
    assert not whole.accepts(5.0)
    assert FieldType((float,), None, False, (), 0).accepts(5)


def test_long_values_are_cut_in_messages() -> None:
    assert shown("x" * 500).startswith("'xxx")
    assert len(shown(list(range(500)))) == 80


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(fields).failed == 0
