"""`nas analyze`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Json, Storage
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.report.analysis import Analysis


def run(
    studies: Annotated[
        list[str] | None, typer.Argument(help="Names of searches; default: the latest.", show_default=False)
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    rung: Annotated[int, typer.Option("--rung", min=0, help="Whose accuracies; every candidate has those of 0.")] = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="Every value of every decision, also where nothing can be told.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what a search has taught: what each decision is worth in accuracy at equal cost, and how sure that is.

    Effects come with 95% intervals that hold for the whole table together. Where a sampler chose what was trained, the
    random control decides whether anything can be told at all.
    """
    from nas.ledger import Ledger
    from nas.records import StudyKind
    from nas.report.analysis import analyse

    with Ledger.read(storage) as ledger:
        found = [analyse(ledger, name, rung=rung) for name in studies or [ledger.latest_study(StudyKind.SEARCH)]]
    if as_json:
        from nas.cli.output import print_json

        print_json({"studies": [one.to_dict() for one in found]})
        return
    for one in found:
        _draw(one, everything=everything)


def _draw(analysis: Analysis, *, everything: bool) -> None:
    from nas.cli.analysis_view import effects_table, importances_table, interactions_table, unsaid
    from nas.cli.output import draw

    draw(f"{analysis.study}: " + ". ".join(analysis.sentences()) + ".", "")
    shown = analysis.effects if everything else [one for one in analysis.effects if one.finding != "cannot tell"]
    if shown:
        draw(effects_table(shown, analysis.cost))
    if len(shown) < len(analysis.effects):
        draw(unsaid(analysis), "")
    if analysis.importances is not None:
        draw(importances_table(analysis.importances, analysis.cost))
    draw(interactions_table(analysis.interactions))
