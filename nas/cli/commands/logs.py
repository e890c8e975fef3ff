"""`nas logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Json, Storage
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.ledger.candidate_history import CandidateHistory


def run(
    candidate: Annotated[
        str, typer.Argument(metavar="STUDY:ID", help="A candidate of a study; the beginning of its id will do.")
    ],
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Tell what happened to one candidate: asked, handed to workers, trained, failed (with traceback), reused."""
    from nas.analysis.event_log import event_log
    from nas.ledger import Ledger, split_candidate

    study, prefix = split_candidate(candidate)
    with Ledger.read(storage) as ledger:
        history = ledger.candidate_history(study, ledger.architecture_id(study, prefix))
    events = event_log(history)
    if as_json:
        from nas.cli.output import print_json

        document = {"study": study, "id": history.architecture, "cost": dict(history.asks[0].cost)}
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
    return f"{history.study}:{history.architecture}  {prices}"
