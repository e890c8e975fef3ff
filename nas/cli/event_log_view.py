"""What happened to a candidate, for a terminal: one line for each event, with what went wrong in full below it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nas.analysis.event_log import Event, Happening
from nas.records import Plain
from nas.units import format_bytes, format_count, format_seconds

_NOTES = 160  # characters of a sampler's private notes; --json has them all
_STYLES = {Happening.FAILED: "red", Happening.TRAINED: "green", Happening.REUSED: "green"}


def event_log_view(title: str, events: Sequence[Event]) -> Group:
    """The events of a candidate by time."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for event in events:
        grid.add_row(_moment(event.time), Text(event.what.value, style=_STYLES.get(event.what, "")), _told(event))
    return Group(Text(title, style="bold"), Text(), grid)


def _told(event: Event) -> RenderableType:
    details = event.details
    if event.what is Happening.ASKED:
        return _asked(details)
    if event.what is Happening.REJECTED:
        return ", ".join(f"{excess:.1%} over {bound}" for bound, excess in details["overrun"].items() if excess > 0)
    if event.what is Happening.SUBMITTED:
        times = details["attempts"]
        return "to a worker" if times == 1 else f"to a worker, {times} times by then"
    if event.what is Happening.FAILED:
        return _failed(details)
    return _trained(details)


def _asked(details: Mapping[str, Plain]) -> Text:
    how = ", drawn at random as a control" if details["control"] else ""
    told = Text(f"trial {details['trial']}{how}; now {details['state']}")
    for name in ("choices", "notes"):
        if details[name]:
            told.append(f"\n{name} {_short(details[name])}", style="dim")
    return told


def _trained(details: Mapping[str, Plain]) -> Text:
    parts = [f"rung {details['rung']}: {details['accuracy']:.2%}"]
    if "loss" in details:
        parts.append(f"loss {details['loss']:.3f}")
    parts.append(_spent(details))
    if details.get("images_per_second"):
        parts.append(f"{format_count(details['images_per_second'])} images/s")
    if details["peak_memory"]:
        parts.append(format_bytes(details["peak_memory"]))
    told = Text(", ".join(parts))
    if "known" in details:
        told.append(f"\ntrained by study {details['study']} on {_moment(details['known'])}", style="dim")
    if "curve" in details:
        losses = " ".join("-" if loss is None else f"{loss:.3g}" for loss in details["curve"])
        told.append(f"\nloss by epoch {losses}", style="dim")
    return told


def _failed(details: Mapping[str, Plain]) -> Text:
    kind = details["failure"].replace("_", " ")
    told = Text(f"rung {details['rung']}: {kind}, {_spent(details)}")
    for name in ("message", "traceback"):
        if details.get(name):
            told.append(f"\n{details[name].rstrip()}", style="dim" if name == "traceback" else "")
    return told


def _spent(details: Mapping[str, Plain]) -> str:
    where = f" on {details['worker']}" if "worker" in details else ""
    return f"{format_seconds(details['seconds'])}{where}"


def _short(data: Mapping[str, Plain]) -> str:
    text = ", ".join(f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in data.items())
    return text if len(text) <= _NOTES else f"{text[:_NOTES]}…"


def _moment(time: str | None) -> str:
    """A time as people write it, in UTC."""
    return "-" if time is None else time[:19].replace("T", " ")
