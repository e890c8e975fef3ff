"""`nas status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import Json, Storage
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.ledger import Ledger, StudyStatus
    from nas.ledger.candidate_history import CandidateHistory

_SHORTEST = 0.5  # seconds between two looks


def run(
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="[STUDY|STUDY:ID]",
            autocompletion=completion.studies,
            help="A study, default the latest; or a candidate of one, by its id or the beginning of it.",
        ),
    ] = None,
    watch: Annotated[
        float | None,
        typer.Option("--watch", min=_SHORTEST, help="Look again every so many seconds, until nobody drives the study."),
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Show how a study stands: who runs it, trials, rungs, workers, failures, time left.

    From any machine that reaches the ledger. The driver of a study says every five seconds how it stands.
    Of STUDY:ID it shows what happened to one candidate: asked, handed to workers, trained, failed (with its traceback),
    reused.
    """
    from nas.cli.output import notice
    from nas.errors import UserError
    from nas.ledger import Ledger
    from nas.report.proxy_health import study_health

    if watch is not None and as_json:
        raise UserError("--watch draws again and again, --json prints one document; give one of them")
    if study is not None and ":" in study:
        if watch is not None:
            raise UserError("--watch shows how a study goes on; name the study without a candidate")
        _show_candidate(study, storage, as_json=as_json)
        return
    with Ledger.read(storage, notify=notice) as ledger:
        name = study or ledger.latest_study()
        if as_json:
            from nas.cli.output import print_json

            health = [row.to_dict() for row in study_health(ledger, name)]
            print_json({**ledger.status(name).to_dict(), "proxy_health": health})
        elif watch is None:
            from nas.cli.output import draw
            from nas.cli.status_view import status_view

            status = ledger.status(name)
            draw(status_view(status, study_health(ledger, name)))
            _say_how_to_go_on(status, storage)
        else:
            _say_how_to_go_on(_watch(ledger, name, watch), storage)


def _say_how_to_go_on(status: StudyStatus, storage: str) -> None:
    from nas.cli.output import draw
    from nas.cli.status_view import how_to_go_on, is_unfinished

    if is_unfinished(status):
        draw("", how_to_go_on(status, storage))


def _watch(ledger: Ledger, study: str, every: float) -> StudyStatus:
    """Draw the status again and again, and return the last one.

    Ctrl-C is a way to stop looking, not an interruption of anything.
    """
    import time
    from contextlib import suppress

    from rich.live import Live

    from nas.cli.output import console
    from nas.cli.status_view import status_view
    from nas.ledger import Driving
    from nas.report.proxy_health import study_health

    status = ledger.status(study)
    view = status_view(status, study_health(ledger, study))
    with suppress(KeyboardInterrupt), Live(view, console=console(), auto_refresh=False) as live:
        while status.driving is not Driving.IDLE:
            time.sleep(every)
            status = ledger.status(study)
            live.update(status_view(status, study_health(ledger, study)), refresh=True)
    return status


def _show_candidate(reference: str, storage: str, *, as_json: bool) -> None:
    """What happened to one candidate, event by event."""
    from nas.analysis.event_log import event_log
    from nas.cli.output import notice
    from nas.ledger import Ledger, split_candidate

    study, prefix = split_candidate(reference)
    with Ledger.read(storage, notify=notice) as ledger:
        history = ledger.candidate_history(study, ledger.architecture_id(study, prefix))
    events = event_log(history)
    if as_json:
        from nas.cli.output import print_json

        document = {"study": study, "id": history.architecture_id, "cost": dict(history.asks[0].cost)}
        print_json({**document, "events": [event.to_dict() for event in events]})
        return
    from nas.cli.event_log_view import event_log_view
    from nas.cli.output import draw

    draw(event_log_view(_title(history), events))


def _title(history: CandidateHistory) -> str:
    """The candidate and its price."""
    from nas.units import format_count

    cost = history.asks[0].cost
    prices = ", ".join(f"{format_count(cost[name])} {name}" for name in ("flops", "params") if name in cost)
    return f"{history.study}:{history.architecture_id}  {prices}"
