"""`nas report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.options import Json, Storage, StudyNames
from nas.ledger.address import DEFAULT_STORAGE


def run(
    studies: StudyNames = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The .html file to write; default: report.html.")
    ] = None,
    trained: Annotated[
        list[Path] | None,
        typer.Option(
            "--trained",
            metavar="FOLDER",
            help="A folder of `nas train` with a candidate of the study: its curve is shown, too. Repeatable.",
        ),
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Write what studies found as one page that opens anywhere, offline: front, growth, decisions, cost, how to repeat.

    With --json the rows of the report are printed, and a page is written only where --output names one.
    """
    from nas.cli.output import notice, print_json, working
    from nas.ledger import Ledger
    from nas.records import StudyKind
    from nas.report.study.read import read_report

    path = output or (None if as_json else Path("report.html"))
    if path is not None:
        from nas.report.study.page import require_page

        require_page(path)
    with Ledger.read(storage) as ledger, working("reading") as say:
        report = read_report(ledger, studies or [ledger.latest_study(StudyKind.SEARCH)], watch=say)
        if trained:
            from nas.report.study.full import with_full_trainings

            report = with_full_trainings(report, trained)
        if path is not None:
            from nas.report.study.networks import read_networks
            from nas.report.study.page import write_report

            say("drawing the networks")
            networks, notes = read_networks(ledger, report)
            write_report(report, networks, path, notes=notes)
    if path is not None:
        for note in notes:
            notice(note)
        notice(f"{path}: {', '.join(study.name for study in report.studies)}")
    if as_json:
        print_json(report.to_dict())
