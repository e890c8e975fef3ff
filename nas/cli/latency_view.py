"""Latencies in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from nas.cli.tables import table
from nas.units import format_bytes

if TYPE_CHECKING:
    from nas.report.latency import LatencyRow


def latency_table(rows: Sequence[LatencyRow], title: str) -> Table:
    """Ranked networks; an unstable one is marked, and why stands in a line of its own."""
    made = table(
        title, "architecture", "id", ">ms", ">95 % interval", ">p90", ">runs", ">spread", ">memory", "ties with"
    )
    made.columns[-1].no_wrap = False
    for row in rows:
        one = row.record
        if one.ms is None:
            made.add_row(row.name, one.architecture, "failed", style="red")
            made.add_row(f"  {one.failure}", style="dim")
            continue
        made.add_row(
            row.name,
            one.architecture,
            f"{milliseconds(one.ms)}{'' if one.is_stable else ' !'}",
            f"{milliseconds(one.low)} .. {milliseconds(one.high)}",
            milliseconds(one.p90),
            str(one.runs),
            "-" if one.spread is None else f"{one.spread:.1%}",
            "-" if one.peak_memory is None else format_bytes(one.peak_memory),
            ", ".join(row.ties),
        )
    made.caption = "\n".join(
        f"! {row.name} is unstable: {'; '.join(row.record.unstable)}" for row in rows if row.record.unstable
    )
    return made


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
