"""Quantities as users write them: read once at the edge, printed once at the edge.

1 FLOP is one multiply-add of a convolution or linear layer, at batch size 1; `4.5GFLOPs` and `4.5GMACs` are equal.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from nas.errors import BudgetError, UserError, shortened

_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_UNITS = {
    "flops": "flops", "flop": "flops", "macs": "flops", "mac": "flops",
    "params": "params", "param": "params", "parameters": "params",
    "activations": "activations", "acts": "activations",
    "ms": "latency_ms",
}  # fmt: skip
_QUANTITY = re.compile(
    r"(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:e\+?\d{1,2})?)(?P<unit>[a-z]*)", re.ASCII | re.IGNORECASE
)
_EXAMPLES = "'4.5GFLOPs', '30Mparams' or '12Mactivations'"
_SECONDS = {"d": 86400, "h": 3600, "m(?:in)?": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in _SECONDS), re.ASCII)
_MOST_BYTES, _MOST_SECONDS = 10**18, 1e10  # an exabyte, three centuries
_SHOWN = {"": "", "k": "k", "m": "M", "g": "G", "t": "T"}
_SUFFIX = {"flops": "FLOPs", "params": "params", "activations": "activations", "latency_ms": "ms"}


class Quantity(NamedTuple):
    """A number of one metric: `metric` is `flops`, `params`, `activations` or `latency_ms`."""

    metric: str
    value: int | float


def split_unit(unit: str) -> tuple[int, str] | None:
    """The scale and metric of a unit such as 'GFLOPs' (case-insensitive); None if it is none."""
    lower = unit.lower()
    if lower in _UNITS:  # before the scales: 'macs' and 'ms' begin with an 'm'
        return 1, _UNITS[lower]
    scale, metric = _SCALE.get(lower[:1]), _UNITS.get(lower[1:])
    if scale is None or metric is None or metric == "latency_ms":
        return None
    return scale, metric


def parse_quantity(text: str, default_unit: str = "") -> Quantity:
    """'4.5GFLOPs' -> Quantity('flops', 4500000000); 'GFLOPS' and 'gmacs' mean the same.

    Args:
        text: a number and a unit.
        default_unit: the unit where the text has none (the lower end of a range takes it from the upper).

    Raises:
        BudgetError: the text is no number with a known unit; the message says what is missing.
    """
    match = _matched(text)
    if match is None:
        raise BudgetError(f"cannot read {text!r} as a quantity; write it like {_EXAMPLES}")
    unit = match["unit"] or default_unit
    read = split_unit(unit)
    if read is None:
        raise BudgetError(_unit_problem(text, unit))
    scale, metric = read
    value = Decimal(match["number"].replace("_", "")) * scale
    return Quantity(metric, float(value) if metric == "latency_ms" else int(value.to_integral_value()))


def unit_of(text: str) -> str:
    """The unit of '4.5GFLOPs' as it is written, 'GFLOPs'; empty where there is none."""
    match = _matched(text)
    return match["unit"] if match else ""


def _matched(text: str) -> re.Match[str] | None:
    return _QUANTITY.fullmatch("".join(text.split()))


def _unit_problem(text: str, unit: str) -> str:
    if not unit:
        return f"{text!r} has no unit; write it like {_EXAMPLES}"
    if unit.lower() in _SCALE:
        return f"{text!r}: {unit} of what? Write {text}FLOPs, {text}params or {text}activations"
    return (
        f"{text!r} has the unknown unit {unit!r}; it can be FLOPs, MACs, params or activations, with k, M, G or T in "
        f"front: {_EXAMPLES}"
    )


def format_count(value: float) -> str:
    """A count with three or four significant digits and an SI suffix.

    >>> format_count(4455531264), format_count(28589128), format_count(512)
    ('4.46G', '28.6M', '512')
    """
    for suffix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 0.9995 * scale:
            return f"{value / scale:.3g}{suffix}" if abs(value) < 999.5 * scale else f"{value / scale:.0f}{suffix}"
    return f"{value:.0f}"


def format_quantity(metric: str, value: float) -> str:
    """A quantity as a user would write it, to the last digit, so that `parse_quantity` gives it back.

    >>> format_quantity("flops", 4_500_000_000), format_quantity("params", 28_589_128)
    ('4.5GFLOPs', '28.589128Mparams')
    """
    if metric == "latency_ms":
        return f"{Decimal(str(float(value))).normalize():f}ms"
    count = int(value)
    suffix = next((name for name in "tgmk" if count >= _SCALE[name]), "")
    whole, rest = divmod(count, _SCALE[suffix])
    digits = f"{whole}.{rest:0{len(str(_SCALE[suffix])) - 1}d}".rstrip("0").rstrip(".") if suffix else str(count)
    return f"{digits}{_SHOWN[suffix]}{_SUFFIX[metric]}"


def parse_bytes(text: str) -> int:
    """A size on disk or in memory; without a unit it is in bytes.

    >>> parse_bytes("50GB"), parse_bytes("1.5 kB"), parse_bytes("512")
    (50000000000, 1500, 512)

    Raises:
        UserError: the text is no number with a known unit.
    """
    match = _matched(text)
    unit = match["unit"].lower().removesuffix("b") if match else ""
    if match is None or unit not in _SCALE:
        raise UserError(f"cannot read {text!r} as a size; write it like '50GB' or '500MB'")
    size = Decimal(match["number"].replace("_", "")) * _SCALE[unit]
    if size > _MOST_BYTES:
        raise UserError(f"{shortened(text)} is more than any disk has; write it like '50GB' or '500MB'")
    return int(size.to_integral_value())


def format_bytes(count: int) -> str:
    """A size for people.

    >>> format_bytes(4455531264), format_bytes(1500), format_bytes(0)
    ('4.46 GB', '1.5 kB', '0 B')
    """
    shown = format_count(count)
    return f"{shown[:-1]} {shown[-1]}B" if shown[-1].isalpha() else f"{shown} B"


def plural(count: int, word: str) -> str:
    """A number of things.

    >>> plural(1, "epoch"), plural(2, "epoch")
    ('1 epoch', '2 epochs')
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def format_seconds(seconds: float) -> str:
    """A duration for people.

    >>> format_seconds(3.21), format_seconds(75), format_seconds(7260)
    ('3.2 s', '1 min 15 s', '2 h 01 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def parse_seconds(text: str) -> float:
    """A duration as people write it, in seconds.

    Raises:
        UserError: the text is no duration, or none above 0.

    >>> parse_seconds("2h"), parse_seconds("1h 30min"), parse_seconds("45s")
    (7200.0, 5400.0, 45.0)
    """
    match = _DURATION.fullmatch("".join(text.split()).lower())
    parts = match.groups(default="0") if match else ()
    seconds = sum(float(part) * unit for part, unit in zip(parts, _SECONDS.values(), strict=False))
    if not 0 < seconds < _MOST_SECONDS:
        raise UserError(f"cannot read {shortened(text)} as a duration; write it like '2h', '1h30min', '90min' or '45s'")
    return seconds
