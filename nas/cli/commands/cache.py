"""`nas cache`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from nas.data import Entry


def run(
    limit: Annotated[
        str | None,
        typer.Option("--limit", help="Keep at most this much from now on, such as 200GB; larger data is streamed."),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove data sets that no process uses; with --limit, only down to it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the resized images that are kept on this machine, or make room; what is needed again is decoded again."""
    from nas import data
    from nas.units import format_bytes, parse_bytes, plural

    folder = data.default_cache()
    if limit is not None:
        data.set_limit(folder, parse_bytes(limit))
    removed = data.prune(folder, limit=0 if limit is None else parse_bytes(limit)) if prune else []
    if prune and limit is None:
        data.forget(folder)
    allowed = data.limit_of(folder)
    kept = sorted(data.entries(folder), key=lambda entry: -entry.used)
    total = sum(entry.bytes for entry in kept)
    if as_json:
        from nas.cli.output import print_json

        documents = {
            "entries": [_document(entry) for entry in kept],
            "removed": [_document(entry) for entry in removed],
        }
        print_json({"folder": folder, "bytes": total, "limit": allowed, **documents})
        return
    from nas.cli.output import draw

    if prune:
        draw(f"removed {plural(len(removed), 'data set')}, {format_bytes(sum(entry.bytes for entry in removed))}")
    draw(
        _table(kept) if kept else "no resized images",
        f"{folder}: {format_bytes(total)} of at most {format_bytes(allowed)}",
    )


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "path": entry.path,
        "reference": entry.about.get("reference"),
        "fingerprint": entry.about.get("fingerprint"),
        "resolution": entry.about.get("resolution"),
        "images": sum(entry.about.get("counts", ())),
        "bytes": entry.bytes,
        "used": _time(entry),
        "in_use": entry.is_held,
        "complete": entry.is_whole,
    }


def _table(entries: Sequence[Entry]) -> Table:
    from nas.cli.tables import table
    from nas.units import format_bytes

    made = table("Resized images", "data set", ">resolution", ">images", ">size", "last used", "")
    for entry in entries:
        about = entry.about
        state = "" if entry.is_whole else "being written" if entry.is_held else "left by a process that was killed"
        made.add_row(
            about.get("reference") or entry.path.name,
            str(about.get("resolution", "-")),
            f"{sum(about['counts']):,}" if "counts" in about else "-",
            format_bytes(entry.bytes),
            _time(entry)[:16].replace("T", " "),
            state or ("in use" if entry.is_held else ""),
        )
    return made


def _time(entry: Entry) -> str:
    return datetime.fromtimestamp(entry.used, UTC).isoformat(timespec="seconds")
