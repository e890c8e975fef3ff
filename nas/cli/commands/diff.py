"""`nas diff`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import Classes, Json, Resolution, Storage, overridden
from nas.errors import UserError
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from rich.table import Table

    from nas.report.diff import Diff, Difference

_LONG = 36  # characters that a cell of a terminal with 80 columns shows without being torn


def run(
    architectures: Annotated[
        list[str],
        typer.Argument(
            metavar="ARCH ARCH...",
            autocompletion=completion.architectures,
            help="Presets, architecture files or STUDY:ID; each is held against the next.",
        ),
    ],
    resolution: Resolution = None,
    classes: Classes = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Show what separates architectures, in the words of the YAML, and what that changes in parameters and FLOPs."""
    from nas.report.diff import diff
    from nas.space.references import own_task, resolve_architecture

    if len(architectures) < 2:
        raise UserError(f"only {architectures[0]!r} to compare; name two architectures or more")
    task = overridden(own_task(architectures[0], storage), resolution, classes)
    found = [(name, resolve_architecture(name, storage)) for name in architectures]
    diffs = [diff((old[0], new[0]), (old[1], new[1]), task) for old, new in pairwise(found)]
    if as_json:
        from nas.cli.output import print_json

        print_json([one.to_dict() for one in diffs])
        return
    for one in diffs:
        _draw(one)


def _draw(found: Diff) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table
    from nas.report.diff import in_prose

    before, after = found.before, found.after
    made = table(f"{before.name} ({before.id}) to {after.name} ({after.id})", "where", "what", before.name, after.name)
    for column in made.columns:
        column.no_wrap, column.overflow = False, "fold"
    long = [one for one in found.differences if max(len(one.before), len(one.after)) > _LONG]
    for one in found.differences:
        words = ("(below)" if len(said) > _LONG else said for said in (one.before, one.after))
        made.add_row(one.where, one.field, *words)
    if not found.differences:
        made.add_row("", "the same architecture", "", "")
    made.add_section()
    for metric in ("params", "flops"):
        old, new = getattr(before, metric), getattr(after, metric)
        label = "FLOPs" if metric == "flops" else metric
        made.add_row("cost", label, f"{old:,}", f"{new:,} ({_change(old, new)})")
    draw(in_prose(found), "", made)
    for one in long:
        draw("", _in_full(one, before.name, after.name))


def _in_full(difference: Difference, before: str, after: str) -> Table:
    """What is too long for a cell, in the whole width."""
    from nas.cli.tables import table

    made = table(f"{difference.where} {difference.field}".strip(), "", "")
    made.show_header = False
    made.columns[1].no_wrap, made.columns[1].overflow = False, "fold"
    for name, words in ((before, difference.before), (after, difference.after)):
        if len(words) > _LONG:
            made.add_row(name, words)
    return made


def _change(old: int, new: int) -> str:
    return f"{new / old - 1:+.1%}" if old else f"{new:+,}"
