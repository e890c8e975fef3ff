"""`nas compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import (
    CpusPerWorker,
    Data,
    Device,
    Executor,
    GpusPerWorker,
    Json,
    Metrics,
    RayAddress,
    Resources,
    Storage,
    Workers,
)
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.search.sweeps.comparison import Comparison, ComparisonFile


def run(
    study: Annotated[Path, typer.Argument(help="A study file with 'architectures', such as roadmap.yaml.")],
    data: Data = None,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="Trainings of each architecture.")] = None,
    workers: Workers = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the table as a Markdown file.")] = None,
    executor: Executor = "local",
    ray_address: RayAddress = None,
    cpus_per_worker: CpusPerWorker = None,
    gpus_per_worker: GpusPerWorker = None,
    resource: Resources = None,
    device: Device = "auto",
    metrics: Metrics = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Train given architectures under one recipe with several seeds, and show them with confidence intervals.

    Run it again after an interruption and it goes on; what any study has trained already is not trained again.
    """
    from nas.cli.output import notice
    from nas.cli.sweeps import train_sweep
    from nas.cli.trainings import note_open_drop_path
    from nas.cli.workers import executor_settings
    from nas.ledger import Ledger
    from nas.report.comparison import comparison_rows, markdown
    from nas.report.metrics import parse_place
    from nas.search.sweeps.comparison import read_comparison
    from nas.search.sweeps.sweep_run import SweepRun
    from nas.units import plural

    page = None if metrics is None else parse_place(metrics)
    settings = executor_settings(
        executor,
        workers=workers,
        device=device,
        ray_address=ray_address,
        cpus_per_worker=cpus_per_worker,
        gpus_per_worker=gpus_per_worker,
        resource=resource,
    )
    written = read_comparison(_found(study))
    comparison = _comparison(written, _found(study).parent, data, seeds)
    labels = [entry.label or entry.architecture for entry in comparison.entries]
    note_open_drop_path(comparison.recipe, dict(zip(labels, comparison.architectures, strict=True)))
    with Ledger.open(storage, notify=notice) as ledger:
        train_sweep(SweepRun(comparison.sweep(), ledger), comparison.to_dict(), settings, metrics=page)
        trials = ledger.trials(comparison.name)
    rows = comparison_rows(
        [(entry.label or entry.architecture, entry.published) for entry in comparison.entries], trials
    )
    recipe = comparison.recipe
    images = f"{comparison.data.partition(':')[0]} at {recipe.resolution}x{recipe.resolution}"
    conditions = (
        f"{images}, {plural(recipe.epochs, 'epoch')} on {recipe.data_share:.0%} of the training images, batch "
        f"{recipe.batch}, validation accuracy; costs at {comparison.task.resolution}x{comparison.task.resolution}. "
        f"Recipe {recipe.id}, data {comparison.fingerprint}."
    )
    if output is not None:
        from nas.data.atomic import new_file

        with new_file(output) as path:
            path.write_text(markdown(rows, f"# {comparison.name}\n\n{comparison.about}", conditions), encoding="utf-8")
    if as_json:
        from nas.cli.output import print_json

        print_json([row.to_dict() for row in rows])
        return
    from nas.cli.output import draw
    from nas.cli.tables import comparison_table

    draw(comparison_table(rows, comparison.name), conditions)


def _found(study: Path) -> Path:
    """The file here, or the packaged one of that name."""
    from nas.schema.packaged import STUDIES, packaged

    travelling = packaged(STUDIES) / study.with_suffix(".yaml").name
    return travelling if not study.exists() and travelling.is_file() else study


def _comparison(written: ComparisonFile, folder: Path, data: str | None, seeds: int | None) -> Comparison:
    from nas.cli.live import StepDisplay
    from nas.cli.options import overridden
    from nas.data import describe
    from nas.search.sweeps.comparison import Comparison
    from nas.space import load_architecture
    from nas.task import Task

    def architecture_of(reference: str) -> str | Path:
        beside = folder / reference
        return beside if beside.is_file() else reference

    with StepDisplay("reading the images") as display:
        found = describe(data or written.data, progress=display.count)
    return Comparison(
        name=written.name,
        about=written.about,
        entries=tuple(written.architectures),
        architectures=tuple(load_architecture(architecture_of(one.architecture)) for one in written.architectures),
        task=overridden(Task(), written.task.resolution, written.task.classes),
        data=found.reference,
        fingerprint=found.fingerprint,
        recipe=written.recipe,
        seeds=seeds or written.seeds,
    )
