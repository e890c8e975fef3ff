"""`nas export`."""

from __future__ import annotations

from typing import Annotated

import typer

from nas.cli.options import Device, Json, Output, Storage, StudyName, at, with_parts
from nas.ledger.address import DEFAULT_STORAGE


def run(
    output: Output,
    study: StudyName = None,
    best: Annotated[bool, typer.Option("--best", help="The candidate with the highest validation accuracy.")] = False,
    identity: Annotated[str | None, typer.Option("--id", help="A candidate by its id or the beginning of it.")] = None,
    data: Annotated[str | None, typer.Option("--data", "-d", help="Where the images are now, if moved.")] = None,
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Take a winner: its architecture, trained weights and test accuracy, as a folder.

    Writes architecture.yaml, weights.safetensors and model.json; `nas.load_model(FOLDER)` gives the network back.
    """
    from dataclasses import asdict

    from nas.cli.live import StepDisplay
    from nas.cli.output import notice
    from nas.errors import UserError
    from nas.export.winner import export_winner
    from nas.ledger import Ledger
    from nas.records import StudyKind
    from nas.search.launch import resolve_device

    if best == (identity is not None):
        raise UserError("say which candidate: either --best or --id ID (`nas pareto` shows the ids)")
    place = resolve_device(device)
    with Ledger.open(storage, create=False, notify=notice) as ledger:
        name = study or ledger.latest_study(StudyKind.SEARCH)
        chosen = None if identity is None else ledger.architecture_id(name, identity)
        with StepDisplay("training it again (its weights were not kept)") as display:
            done = export_winner(ledger, name, chosen, output, data=data, device=place, report=display.fraction)
    if as_json:
        from nas.cli.output import print_json

        print_json(asdict(done))
        return
    from nas.cli.output import draw

    test = done.test
    draw(
        f"[bold]{name}:{done.id}[/bold] -> {done.folder}: {', '.join(done.files)}",
        f"validation top-1 {done.validation:.1%} (the search chose by it)",
        f"test top-1 {test['accuracy']:.1%}, 95% interval {test['low']:.1%} to {test['high']:.1%} "
        f"over {test['images']:,} images no search has seen",
        f'use it: python -c "import nas; print(nas.load_model({done.folder!r}))"    train it longer: '
        f"nas train {name}:{done.id} -o trained/{with_parts()}{at(storage)}",
    )
