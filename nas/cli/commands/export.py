"""`nas export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import Classes, Device, Force, Json, Output, Resolution, Storage, loading, proposed
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from nas.export.forms import Written
    from nas.export.real_images import RealImages
    from nas.export.winner import Exported
    from nas.ledger import Ledger


def run(
    output: Output,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARCH|STUDY...]",
            autocompletion=completion.architectures,
            help="A preset, an architecture file, a folder with weights, or STUDY:ID; with --best or --id one or "
            "several studies, default the latest that can be exported.",
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
            help="python, onnx, openvino, ncnn, litert, executorch, torch-export, torchscript, timm or hub, for other "
            "programs. Repeatable.",
        ),
    ] = None,
    merged: Annotated[
        bool, typer.Option("--merged", help="Merge parallel branches; ONNX and the like always do.")
    ] = False,
    opset: Annotated[
        int | None, typer.Option("--opset", help="Version of ONNX's operators, 17 to 20; default: 17.")
    ] = None,
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
    from nas.export.folder import require_free
    from nas.export.forms import Options
    from nas.export.taking import write_export

    candidate = _candidate(sources or [], best=best, identity=identity)
    require_free(output, force=force)
    winner: _Winner | None = None
    if candidate is None:
        bundle, title = _given((sources or [""])[0], resolution, classes, data=data, device=device, storage=storage)
    else:
        _refuse_task(resolution, classes)
        winner = _Winner(*candidate, storage, data, device)
        bundle, title = winner.write, ""
    options = Options(opset=opset, batch=batch)
    written = write_export(
        output, bundle, formats or [], options, merged=merged, force=force, report=_say_unless(as_json)
    )
    _show(output, written, title, None if winner is None else winner.exported, storage=storage, as_json=as_json)


def _candidate(sources: Sequence[str], *, best: bool, identity: str | None) -> tuple[Sequence[str], str | None] | None:
    """Studies and id of a candidate, none for the latest study, None for the best one; no pair where none is meant.

    Raises:
        UserError: nothing is asked for, or two things are.
    """
    from nas.errors import UserError
    from nas.space.references import split_reference

    if best and identity is not None:
        raise UserError("say which candidate: either --best or --id ID")
    if best or identity is not None:
        return sources, identity
    if not sources:
        raise UserError(
            "say what: an architecture, or a candidate by either --best or --id ID (`nas pareto` shows the ids)"
        )
    if len(sources) > 1:
        raise UserError("one network at a time is exported; of several studies, say which by --best or --id ID")
    found = split_reference(sources[0])
    return None if found is None else ([found[0]], found[1])


def _given(
    source: str, resolution: int | None, classes: int | None, *, data: str | None, device: str, storage: str
) -> tuple[Callable[[Path], RealImages | None], str]:
    """What writes an architecture, or copies a folder with weights, and what it is called.

    Raises:
        UserError: it is neither, or an option is given that is not for it.
    """
    from pathlib import Path

    from nas.cli.options import overridden
    from nas.errors import UserError
    from nas.export.taking import copied_bundle, fresh_bundle
    from nas.space.references import ABOUT, resolve_architecture
    from nas.task import Task

    is_folder = (Path(source) / ABOUT).is_file()
    if is_folder:
        _refuse_task(resolution, classes)
    if data is not None:
        raise UserError("--data is for candidates of a study")
    if device != "auto":
        raise UserError("--device is for candidates of a study, which may have to be trained again")
    if is_folder:
        return copied_bundle(Path(source)), source
    architecture = resolve_architecture(source, storage)
    return fresh_bundle(architecture, overridden(Task(), resolution, classes)), f"{source} (fresh weights)"


def _refuse_task(resolution: int | None, classes: int | None) -> None:
    from nas.errors import UserError

    if resolution is not None or classes is not None:
        raise UserError("--resolution and --classes are for fresh weights; these are trained for their own")


class _Winner:
    """Takes a candidate out of its study, and keeps what was said of it."""

    def __init__(
        self, studies: Sequence[str], identity: str | None, storage: str, data: str | None, device: str
    ) -> None:
        self._studies, self._identity = studies, identity
        self._storage, self._data, self._device = storage, data, device
        self.exported: Exported | None = None

    def write(self, folder: Path) -> RealImages:
        """Write it, trained again if its weights were not kept; gives validation images."""
        from nas.cli.live import StepDisplay
        from nas.cli.output import notice
        from nas.export.winner import export_winner
        from nas.ledger import Ledger
        from nas.search.launch import resolve_device

        place = resolve_device(self._device)
        with Ledger.open(self._storage, create=False, notify=notice) as ledger:
            name, chosen = self._choose(ledger)
            with StepDisplay("training it again (its weights were not kept)") as display:
                self.exported = export_winner(
                    ledger, name, chosen, folder, data=self._data, device=place, report=display.fraction
                )
        return self.exported.real

    def _choose(self, ledger: Ledger) -> tuple[str, str | None]:
        """Study and id, None for its best one; says which studies do not apply."""
        from nas.cli.output import notice
        from nas.export.candidates import choose_among, latest_exportable

        left_out: list[str] = []
        chosen: str | None
        if len(set(self._studies)) > 1:
            name, chosen, left_out = choose_among(ledger, self._studies, self._identity)
        else:
            name, left_out = (self._studies[0], []) if self._studies else latest_exportable(ledger)
            chosen = None if self._identity is None else ledger.architecture_id(name, self._identity)
        for sentence in left_out:
            notice(f"left out: {sentence}")
        return name, chosen


def _show(
    output: Path, written: Sequence[Written], title: str, winner: Exported | None, *, storage: str, as_json: bool
) -> None:
    """Say what is in the folder now, and what to do with it."""
    from dataclasses import asdict

    files = sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
    if as_json:
        from nas.cli.output import print_json
        from nas.space import load_architecture

        about = {"id": load_architecture(output).id} if winner is None else winner.to_dict()
        print_json({**about, "folder": str(output), "files": files, "forms": [asdict(one) for one in written]})
        return
    from nas.cli.output import draw, strong

    title = title if winner is None else f"{winner.study}:{winner.id}"
    draw(strong(title) + f" -> {output}: {', '.join(files)}")
    _show_forms(written)
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
        f"{use}    train it longer: {proposed('train', '-o', 'trained/', arguments=[title], storage=storage)}",
    )


def _show_forms(written: Sequence[Written]) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table
    from nas.units import format_count

    if not written:
        return
    real = written[0].real
    made = table("Opened again and compared", "format", "file", ">bytes", ">on random images", f">on {real}")
    for one in written:
        made.add_row(one.format, one.file, format_count(one.bytes), f"{one.on_random:.1e}", f"{one.on_real:.1e}")
    draw(made, *(f"{one.format}: {one.note}" for one in written if one.note))


def _say_unless(quiet: bool) -> Callable[[str], None]:
    from nas.cli.output import notice

    return (lambda name: None) if quiet else (lambda name: notice(f"writing and checking {name}"))
