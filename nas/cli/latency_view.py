"""Latencies in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from nas.cli.tables import table
from nas.units import format_bytes, format_count

if TYPE_CHECKING:
    from nas.report.latency import LatencyRow
    from nas.schema.published import Published

_TIES = 4  # names in a cell


def latency_table(rows: Sequence[LatencyRow], title: str, published: Mapping[str, Published]) -> Table:
    """Ranked networks; an unstable one is marked, and why stands in a line of its own.

    Args:
        rows: fastest first.
        title: of the table.
        published: what is known of them, by name; with it there are columns for accuracy and FLOPs.
    """
    facts = [">top-1 (%)", ">FLOPs"] if published else ["id"]
    made = table(
        title, "architecture", *facts, ">ms", ">95 % interval", ">p90", ">runs", ">spread", ">memory", "ties with"
    )
    made.columns[-1].no_wrap = False
    for row in rows:
        one = row.record
        if one.ms is None:
            made.add_row(row.name, *_facts(row, published), "failed", style="red")
            made.add_row(f"  {one.failure}", style="dim")
            continue
        made.add_row(
            row.name,
            *_facts(row, published),
            f"{milliseconds(one.ms)}{'' if one.is_stable else ' !'}",
            f"{milliseconds(one.low)} .. {milliseconds(one.high)}",
            milliseconds(one.p90),
            str(one.runs),
            "-" if one.spread is None else f"{one.spread:.1%}",
            "-" if one.peak_memory is None else format_bytes(one.peak_memory),
            _some(row.ties),
        )
    made.caption = "\n".join(
        f"! {row.name} is unstable: {'; '.join(row.record.unstable)}" for row in rows if row.record.unstable
    )
    return made


def _facts(row: LatencyRow, published: Mapping[str, Published]) -> tuple[str, ...]:
    if not published:
        return (row.record.architecture_id,)
    known = published[row.name]
    at = "" if known.at in (None, row.record.key.resolution) else f" at {known.at}"
    return f"{known.top1:.1f}{at}" if known.top1 is not None else "-", format_count(known.flops)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _TIES
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_TIES])} and {more} more"


def milliseconds(value: float | None) -> str:
    """With three significant digits."""
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def profiles_table(entries: Sequence[dict[str, Any]]) -> Table:
    """The profiles, and what is missing for those that cannot be measured here."""
    made = table("Latency profiles (--profile NAME)", "name", "id", "runtime", "available", "about")
    made.columns[-1].no_wrap = False
    for one in entries:
        available = "yes" if one["available"] else "no"
        about = one["about"] if one["available"] else f"{one['about']} {one['missing']}."
        made.add_row(one["name"], one["id"], one["runtime"], available, about)
    return made
