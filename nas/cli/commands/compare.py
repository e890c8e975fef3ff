"""`nas compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import (
    Classes,
    Data,
    Json,
    Metrics,
    RecipeName,
    Resolution,
    StorageOrFile,
)
from nas.cli.workers import WorkerOptions
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nas.report.comparison import ComparisonRow
    from nas.search.sweeps.comparison import Comparison, ComparisonFile

_LONGEST_NAME = 60
_OF_A_STUDY = {"architectures", "data", "recipe", "seeds"}
"""Keys that tell a study file from an architecture's."""


def run(
    architectures: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|ARCH...",
            autocompletion=completion.architectures,
            help="A study file with 'architectures', such as roadmap.yaml; or the architectures themselves: presets, "
            "architecture files, exported folders, STUDY:ID.",
        ),
    ],
    data: Data = None,
    recipe: RecipeName = None,
    study: Annotated[
        str | None, typer.Option("--study", help="Name for the study; default: the file's, or of the architectures.")
    ] = None,
    resolution: Resolution = None,
    classes: Classes = None,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="Trainings of each architecture.")] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Judge every training on the test images, too, that no search has seen.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the table as a Markdown file.")] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Draw the accuracies with their intervals: .png or .svg (extra plots)."),
    ] = None,
    *,
    who: WorkerOptions,
    metrics: Metrics = None,
    storage: StorageOrFile = None,
    as_json: Json = False,
) -> None:
    """Train given architectures under one recipe with several seeds, and show them with confidence intervals.

    Run it again after an interruption and it goes on; what any study has trained already is not trained again.
    """
    from nas.cli.output import notice
    from nas.cli.sweeps import train_sweep
    from nas.cli.trainings import note_open_drop_path
    from nas.ledger import Ledger
    from nas.report.comparison import comparison_rows
    from nas.report.images import require_form
    from nas.report.metrics import parse_place
    from nas.search.definition import require_name
    from nas.search.sweeps.sweep_run import SweepRun
    from nas.space.references import short_names
    from nas.train.recipe import load_recipe

    if study is not None:
        require_name(study)
    if plot is not None:
        require_form(plot, "a comparison")
    page = None if metrics is None else parse_place(metrics)
    settings = who.settings()
    said = {
        "name": study,
        "data": data,
        "seeds": seeds,
        "recipe": None if recipe is None else load_recipe(recipe),
        "test": test or None,  # a study file may ask for it, too
    }
    storage, comparison = _asked_for(architectures, storage, said, resolution, classes)
    names = short_names([entry.architecture for entry in comparison.entries])
    labels = [entry.label or name for entry, name in zip(comparison.entries, names, strict=True)]
    note_open_drop_path(comparison.recipe, dict(zip(labels, comparison.architectures, strict=True)))
    with Ledger.open(storage, notify=notice) as ledger:
        train_sweep(SweepRun(comparison.sweep(), ledger), comparison.to_dict(), settings, metrics=page)
        trials = ledger.trials(comparison.name)
    published = [entry.published for entry in comparison.entries]
    rows = comparison_rows(list(zip(labels, published, strict=True)), trials)
    _show(comparison, rows, output, plot, as_json=as_json)


def _asked_for(
    architectures: list[str],
    storage: str | None,
    said: Mapping[str, object],
    resolution: int | None,
    classes: int | None,
) -> tuple[str, Comparison]:
    """The ledger and the comparison: by a study file or by architectures, and by what the command line says instead."""
    from nas.ledger.address import storage_beside
    from nas.search.sweeps.comparison import read_comparison

    file = _study_file(architectures)
    if file is None:
        storage = storage or DEFAULT_STORAGE
        written, folder = _named(architectures, storage), None
    else:
        written, folder = read_comparison(file), file.parent
        beside = None if written.storage is None else storage_beside(written.storage, folder)
        storage = storage or beside or DEFAULT_STORAGE
    written = written.model_copy(update={name: value for name, value in said.items() if value is not None})
    return storage, _comparison(written, folder, storage, resolution, classes)


def _show(
    comparison: Comparison, rows: list[ComparisonRow], output: Path | None, plot: Path | None, *, as_json: bool
) -> None:
    """Write what files were asked for, and show the table."""
    from nas.report.comparison import markdown

    conditions = _conditions(comparison)
    if output is not None:
        from nas.data.atomic import new_file

        with new_file(output) as path:
            path.write_text(markdown(rows, f"# {comparison.name}\n\n{comparison.about}", conditions), encoding="utf-8")
    if plot is not None:
        from nas.report.comparison_image import draw_comparison

        draw_comparison(rows, plot, title=comparison.name)
    if as_json:
        from nas.cli.output import print_json

        print_json([row.to_dict() for row in rows])
        return
    from nas.cli.output import draw
    from nas.cli.tables import comparison_table

    draw(comparison_table(rows, comparison.name), conditions)


def _conditions(comparison: Comparison) -> str:
    """What the accuracies and costs of a comparison are of."""
    from nas.units import plural

    trained = comparison.recipe
    judged = "validation and test" if comparison.test else "validation"
    images = f"{comparison.data.partition(':')[0]} at {trained.resolution}x{trained.resolution}"
    return (
        f"{images}, {plural(trained.epochs, 'epoch')} on {trained.data_share:.0%} of the training images, batch "
        f"{trained.batch}, {judged} accuracy; costs at {comparison.task.resolution}x{comparison.task.resolution}. "
        f"Recipe {trained.id}, data {comparison.fingerprint}."
    )


def _study_file(arguments: list[str]) -> Path | None:
    """The study file that is meant, here or a packaged one; None where architectures are named."""
    from nas.schema.nodes import read_yaml
    from nas.schema.packaged import STUDIES, packaged

    if len(arguments) > 1:
        return None
    given = Path(arguments[0])
    travelling = packaged(STUDIES) / f"{given.stem}.yaml"
    if not given.exists() and travelling.is_file():
        return travelling
    if not given.is_file():
        return None
    return given if read_yaml(given)[0].mapping.keys() & _OF_A_STUDY else None


def _named(references: list[str], storage: str) -> ComparisonFile:
    """A comparison of architectures that no file lists."""
    import hashlib
    import re
    from dataclasses import asdict

    from nas.search.definition import TaskFile
    from nas.search.sweeps.comparison import ComparisonFile, Entry
    from nas.space.references import own_task

    words = [re.sub(r"[^\w.-]+", "-", Path(one).name.removesuffix(".yaml"), flags=re.ASCII) for one in references]
    name = "-vs-".join(words).lstrip("-._") or "compared"
    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256("\n".join(references).encode()).hexdigest()[:8]
        name = f"{words[0].lstrip('-._') or 'these'}-vs-{len(words) - 1}-others-{digest}"
    return ComparisonFile(
        name=name,
        architectures=[Entry(architecture=one) for one in references],
        task=TaskFile(**asdict(own_task(references[0], storage))),
    )


def _comparison(
    written: ComparisonFile, folder: Path | None, storage: str, resolution: int | None, classes: int | None
) -> Comparison:
    from nas.cli.live import StepDisplay
    from nas.cli.options import overridden
    from nas.data import describe
    from nas.search.sweeps.comparison import Comparison
    from nas.space.references import resolve_architecture
    from nas.task import Task

    architectures = [resolve_architecture(one.architecture, storage, beside=folder) for one in written.architectures]
    with StepDisplay("reading the images") as display:
        found = describe(written.data, progress=display.count)
    return Comparison(
        name=written.name,
        about=written.about,
        entries=tuple(written.architectures),
        architectures=tuple(architectures),
        task=overridden(written.task.on(Task()), resolution, classes),
        data=found.reference,
        fingerprint=found.fingerprint,
        recipe=written.recipe,
        seeds=written.seeds,
        test=written.test,
    )
