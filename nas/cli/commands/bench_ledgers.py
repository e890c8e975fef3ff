"""`nas bench ledgers`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from nas.cli.options import CurvesFile, Json, MarkdownFile


def run(
    ledgers: Annotated[list[str], typer.Argument(help="Ledgers: SQLite files, or URLs as of --storage.")],
    study: Annotated[
        list[str] | None,
        typer.Option("--study", metavar="NAME", help="Only this search of the ledgers that have it. Repeatable."),
    ] = None,
    output: MarkdownFile = None,
    plot: CurvesFile = None,
    as_json: Json = False,
) -> None:
    """Compare finished searches: how good the front was for the training time that had gone into it.

    The searches are of one space, budget, data set and recipe, with rungs or without, by different samplers and seeds.
    Studies that cannot be compared with the first one are left out, and it is said why.
    Give each its own ledger (--storage): searches that share one take over each other's trainings.
    """
    from nas.cli.output import notice
    from nas.ledger import Ledger
    from nas.ledger.address import storage_url
    from nas.report.chart import require_chart_form, write_chart
    from nas.report.race import Searches, conditions, heads, markdown, panel, rows, to_dict

    if plot is not None:
        require_chart_form(plot)
    searches = Searches(study or None)
    for one in ledgers:
        with Ledger.read(storage_url(one)) as ledger:
            searches.add(ledger)
    race = searches.race()
    for sentence in searches.left_out:
        notice(f"left out: {sentence}")
    if plot is not None:
        write_chart([panel(race)], plot, title="Hypervolume against training time")
    if output is not None:
        from nas.data.atomic import new_file

        drawn = os.path.relpath(plot, output.parent) if plot is not None and plot.suffix == ".png" else None
        with new_file(output) as temporary:
            temporary.write_text(markdown(race, searches.cost, drawn), encoding="utf-8")
    if as_json:
        from nas.cli.output import print_json

        print_json(to_dict(race, searches.cost))
        return
    from nas.cli.output import draw
    from nas.cli.tables import table

    made = table("Hypervolume after a share of the training time", *heads())
    for row in rows(race, spread=False):
        made.add_row(*row)
    draw(made, conditions(race, searches.cost, spread=False))
