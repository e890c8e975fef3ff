from __future__ import annotations

import contextlib
import doctest

import pytest
from hypothesis import given, strategies as st

from nas import units
from nas.errors import BudgetError, UserError
from nas.units import (
    Quantity,
    format_count,
    format_quantity,
    format_seconds,
    parse_quantity,
    parse_seconds,
    split_unit,
    unit_of,
)

COUNTED = ("flops", "params", "activations")


@pytest.mark.parametrize(
    ("text", "metric", "value"),
    [
        ("4.5GFLOPs", "flops", 4_500_000_000),
        ("4.5GFLOPS", "flops", 4_500_000_000),
        ("4.5gflop", "flops", 4_500_000_000),
        ("4.5GMACs", "flops", 4_500_000_000),
        ("4500MMACs", "flops", 4_500_000_000),
        ("4.5 GFLOPs", "flops", 4_500_000_000),
        (" 4.5 G FLOPs ", "flops", 4_500_000_000),
        ("4.5e9FLOPs", "flops", 4_500_000_000),
        ("4_500_000_000FLOPs", "flops", 4_500_000_000),
        ("0.0045TFLOPs", "flops", 4_500_000_000),
        (".5kflops", "flops", 500),
        ("12macs", "flops", 12),
        ("30Mparams", "params", 30_000_000),
        ("30M parameters", "params", 30_000_000),
        ("12Mactivations", "activations", 12_000_000),
        ("12Macts", "activations", 12_000_000),
        ("8ms", "latency_ms", 8.0),
        ("0.25ms", "latency_ms", 0.25),
    ],
)
def test_quantity_is_read(text: str, metric: str, value: float) -> None:
    assert parse_quantity(text) == Quantity(metric, value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4.5G", "'4.5G': G of what? Write 4.5GFLOPs, 4.5Gparams or 4.5Gactivations"),
        ("30", "'30' has no unit; write it like '4.5GFLOPs', '30Mparams' or '12Mactivations'"),
        ("30Mpraams", "'30Mpraams' has the unknown unit 'Mpraams'; it can be FLOPs, MACs, params or activations, with"),
        ("4.5GFLIPs", "'4.5GFLIPs' has the unknown unit 'GFLIPs'; it can be"),
        ("4.5Gms", "'4.5Gms' has the unknown unit 'Gms'; it can be"),
        ("", "cannot read '' as a quantity"),
        ("much", "cannot read 'much' as a quantity"),
        ("-3GFLOPs", "cannot read '-3GFLOPs' as a quantity"),
        ("4,5GFLOPs", "cannot read '4,5GFLOPs' as a quantity"),
        ("nanFLOPs", "cannot read 'nanFLOPs' as a quantity"),
        ("1e400FLOPs", "cannot read '1e400FLOPs' as a quantity"),
        ("٣GFLOPs", "cannot read '٣GFLOPs' as a quantity"),
    ],
)
def test_quantity_that_cannot_be_read_says_what_is_missing(text: str, message: str) -> None:
    with pytest.raises(BudgetError) as caught:
        parse_quantity(text)
    assert str(caught.value).startswith(message)


def test_default_unit_fills_a_gap_only() -> None:
    assert parse_quantity("4.2", default_unit="GFLOPs") == Quantity("flops", 4_200_000_000)
    assert parse_quantity("4.2Mparams", default_unit="GFLOPs") == Quantity("params", 4_200_000)


def test_fractions_are_read_without_binary_rounding() -> None:
    assert parse_quantity("0.1Gparams").value == 100_000_000
    assert parse_quantity("4.455531264GFLOPs").value == 4_455_531_264


@given(st.sampled_from(COUNTED), st.integers(0, 10**20))
def test_formatted_count_reads_back(metric: str, value: int) -> None:
    assert parse_quantity(format_quantity(metric, value)) == Quantity(metric, value)


@given(st.floats(1e-6, 1e6))
def test_formatted_latency_reads_back(value: float) -> None:
    assert parse_quantity(format_quantity("latency_ms", value)) == Quantity("latency_ms", value)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("flops", 4_500_000_000, "4.5GFLOPs"),
        ("flops", 4_455_531_264, "4.455531264GFLOPs"),
        ("flops", 999, "999FLOPs"),
        ("params", 1000, "1kparams"),
        ("activations", 0, "0activations"),
        ("latency_ms", 8.0, "8ms"),
        ("latency_ms", 100.0, "100ms"),
    ],
)
def test_quantity_is_written_as_a_user_would(metric: str, value: float, text: str) -> None:
    assert format_quantity(metric, value) == text


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BudgetError):
        assert parse_quantity(text).value >= 0


@pytest.mark.parametrize(
    ("unit", "found"),
    [("MMACs", (10**6, "flops")), ("macs", (1, "flops")), ("ms", (1, "latency_ms")), ("kms", None), ("", None)],
)
def test_unit_is_split_into_scale_and_metric(unit: str, found: tuple[int, str] | None) -> None:
    assert split_unit(unit) == found


def test_unit_of_gives_it_as_written() -> None:
    assert [unit_of(text) for text in ("4.5 GFLOPs", "1e9flops", "4.5", "what?")] == ["GFLOPs", "flops", "", ""]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (512, "512"), (999, "999"), (999.6, "1k"), (1234, "1.23k"), (999_400, "999k"), (999_600, "1M"),
     (28_589_128, "28.6M"), (4_455_531_264, "4.46G"), (1.5e15, "1500T"), (-2_000_000, "-2M")],
)  # fmt: skip
def test_count_is_short(value: float, text: str) -> None:
    assert format_count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (3.21, "3.2 s"), (59.94, "59.9 s"), (59.97, "1 min 00 s"), (75, "1 min 15 s"),
     (3599.7, "1 h 00 min"), (7260, "2 h 01 min")],
)  # fmt: skip
def test_duration_is_for_people(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(units).failed == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("90min", 5400), ("2m", 120), ("1h30min", 5400), ("1 d 12 h", 129600), ("0.5s", 0.5)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "0s", "2 hours", "-1h", "30min1h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="write it like '2h'"):
        parse_seconds(text)


@pytest.mark.parametrize("digits", ["9" * 400, "9" * 3000])
def test_endless_numbers_are_refused_and_shortened(digits: str) -> None:
    for read, text in ((units.parse_bytes, digits), (parse_seconds, f"{digits}h")):
        with pytest.raises(UserError) as caught:
            read(text)
        assert len(str(caught.value)) < 250
