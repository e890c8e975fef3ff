"""`nas export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli import completion
from nas.cli.options import Classes, Device, Force, Json, Output, Resolution, Storage, loading, proposed
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nas.export.winner import Exported


def run(
    output: Output,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[ARCH|STUDY]",
            autocompletion=completion.architectures,
            help="A preset, an architecture file, a folder with weights, or STUDY:ID; with --best or --id a study, "
            "default the latest.",
            show_default=False,
        ),
    ] = None,
    best: Annotated[bool, typer.Option("--best", help="The candidate with the highest validation accuracy.")] = False,
    identity: Annotated[str | None, typer.Option("--id", help="A candidate by its id or the beginning of it.")] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            help="python, onnx, openvino, torch-export, torchscript, timm or hub, for other programs. Repeatable.",
        ),
    ] = None,
    merged: Annotated[
        bool, typer.Option("--merged", help="Merge parallel branches; ONNX and the like always do.")
    ] = False,
    opset: Annotated[int, typer.Option("--opset", help="Version of ONNX's operators, 17 to 20.")] = 17,
    batch: Annotated[
        int | None, typer.Option("--batch", help="Images at a time, fixed in ONNX and the like; default: any number.")
    ] = None,
    force: Force = False,
    resolution: Resolution = None,
    classes: Classes = None,
    data: Annotated[str | None, typer.Option("--data", "-d", help="Where the images are now, if moved.")] = None,
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Take a network: architecture and weights as a folder, and in forms that other programs read.

    Writes architecture.yaml, weights.safetensors and model.json; `nas.load_model(FOLDER)` gives the network back. A
    preset or an architecture file comes with fresh weights. Every form is opened again in its own runtime and compared.
    """
    from dataclasses import asdict
    from pathlib import Path

    from nas.cli.options import overridden
    from nas.errors import UserError
    from nas.export.folder import require_free
    from nas.export.forms import Options
    from nas.export.taking import copied_bundle, fresh_bundle, write_export
    from nas.space.references import ABOUT, resolve_architecture, split_reference
    from nas.task import Task

    if best and identity is not None:
        raise UserError("say which candidate: either --best or --id ID")
    if not best and identity is None and source is None:
        raise UserError(
            "say what: an architecture, or a candidate by either --best or --id ID (`nas pareto` shows the ids)"
        )
    require_free(output, force=force)
    candidate = None if source is None or best or identity is not None else split_reference(source)
    winner: Exported | None = None
    of_study = best or identity is not None or candidate is not None
    study, chosen = candidate or (source, identity)
    is_folder = not of_study and (Path(str(source)) / ABOUT).is_file()
    if (of_study or is_folder) and (resolution is not None or classes is not None):
        raise UserError("--resolution and --classes are for fresh weights; these are trained for their own")

    def trained(folder: Path) -> None:
        nonlocal winner
        winner = _winner(folder, study, chosen, storage, data=data, device=device)

    bundle: Callable[[Path], None] = trained
    name = ""
    if is_folder:
        bundle, name = copied_bundle(Path(str(source))), str(source)
    elif not of_study:
        architecture = resolve_architecture(str(source), storage)
        bundle, name = fresh_bundle(architecture, overridden(Task(), resolution, classes)), f"{source} (fresh weights)"
    if data is not None and not of_study:
        raise UserError("--data is for candidates of a study")
    options = Options(opset=opset, batch=batch)
    written = write_export(
        output, bundle, formats or [], options, merged=merged, force=force, report=_say_unless(as_json)
    )
    files = sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
    if winner is None:
        from nas.space import load_architecture

        document: dict[str, Any] = {"id": load_architecture(output).id, "folder": str(output), "files": files}
    else:
        document = {**asdict(winner), "folder": str(output), "files": files}
    document["forms"] = [asdict(one) for one in written]
    if as_json:
        from nas.cli.output import print_json

        print_json(document)
        return
    from nas.cli.output import draw, strong
    from nas.cli.tables import table
    from nas.units import format_count

    title = name if winner is None else f"{winner.study}:{winner.id}"
    draw(strong(title) + f" -> {output}: {', '.join(files)}")
    if written:
        made = table("Opened again and compared on random images", "format", "file", ">bytes", ">largest difference")
        for one in written:
            made.add_row(one.format, one.file, format_count(one.bytes), f"{one.difference:.1e}")
        draw(made, *(f"{one.format}: {one.note}" for one in written if one.note))
    use = f"use it: {loading(output)}"
    if winner is None:
        draw(use)
        return
    test = winner.test
    draw(
        f"validation top-1 {winner.validation:.1%} (the search chose by it)",
        f"test top-1 {test['accuracy']:.1%}, 95% interval {test['low']:.1%} to {test['high']:.1%} "
        f"over {test['images']:,} images no search has seen",
        *(["trained again, because its weights were not kept: same seed, same network"] * winner.retrained),
        f"{use}    train it longer: {proposed('train', title, '-o', 'trained/', storage=storage)}",
    )


def _winner(
    folder: Path, study: str | None, identity: str | None, storage: str, *, data: str | None, device: str
) -> Exported:
    from nas.cli.live import StepDisplay
    from nas.cli.output import notice
    from nas.export.winner import export_winner
    from nas.ledger import Ledger
    from nas.records import StudyKind
    from nas.search.launch import resolve_device

    place = resolve_device(device)
    with Ledger.open(storage, create=False, notify=notice) as ledger:
        name = study or ledger.latest_study(StudyKind.SEARCH)
        chosen = None if identity is None else ledger.architecture_id(name, identity)
        with StepDisplay("training it again (its weights were not kept)") as display:
            return export_winner(ledger, name, chosen, folder, data=data, device=place, report=display.fraction)


def _say_unless(quiet: bool) -> Callable[[str], None]:
    from nas.cli.output import notice

    return (lambda name: None) if quiet else (lambda name: notice(f"writing and checking {name}"))
