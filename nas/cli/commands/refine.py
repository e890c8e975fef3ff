"""`nas refine`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import (
    Checkpoints,
    Data,
    Json,
    Metrics,
    RecipeName,
    Storage,
    epochs_of,
    proposed,
)
from nas.cli.workers import WorkerOptions
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nas.executors.settings import ExecutorSettings
    from nas.report.metrics import Place
    from nas.report.refine import RefinedRow
    from nas.search.sweeps.refinement import Refinement
    from nas.train.recipe import Recipe


def run(
    study: Annotated[
        str | None, typer.Argument(help="Name of the search; default: the latest.", show_default=False)
    ] = None,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, help="How many of the front, the most accurate ones; default: up to 5."),
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option("--id", help="An architecture of the study by its id or the beginning of it. Repeatable."),
    ] = None,
    trials: Annotated[
        int, typer.Option("--trials", "-n", min=2, help="Recipes for each architecture, the unchanged one included.")
    ] = 16,
    recipe: RecipeName = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Length of a training to the end.")] = None,
    rungs: Annotated[
        str | None,
        typer.Option(
            "--rungs",
            help="Epochs after which most recipes stop, such as 1,3; none: train all to the end. Default: the "
            "recipe's, or a 27th, a ninth and a third of its epochs.",
        ),
    ] = None,
    data: Data = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of draws and trainings; default: the study's.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the best recipe of each architecture, ID.yaml.")
    ] = None,
    *,
    who: WorkerOptions,
    checkpoints: Checkpoints = None,
    metrics: Metrics = None,
    storage: Storage = DEFAULT_STORAGE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, say what would run, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Tune the training recipe of the best architectures of a search.

    Tries changes of learning rate, weight decay, drop path, label smoothing and strength of augmentation by successive
    halving, in which only the best go on from rung to rung. The recipe as it is comes first and goes to the end, so
    that gains are measured against it. Every result is an evaluation in the ledger. Run it again after an interruption
    and it goes on.
    """
    from nas.report.metrics import parse_place

    page = None if metrics is None else parse_place(metrics)
    settings = who.settings()
    plan = _plan(study, top, identity or [], trials, recipe, epochs, rungs, data, seed, storage)
    _announce(plan, settings, storage)
    if dry_run:
        if as_json:
            _print_plan(plan)
        return
    rows = _refine(plan, settings, checkpoints, storage, page)
    files = {} if output is None else _write_recipes(plan, rows, output)
    _show(plan, rows, files, storage, as_json=as_json)


def _plan(
    study: str | None,
    top: int | None,
    identities: Sequence[str],
    trials: int,
    recipe: str | None,
    epochs: int | None,
    rungs: str | None,
    data: str | None,
    seed: int | None,
    storage: str,
) -> Refinement:
    from nas.architecture import Architecture
    from nas.cli.live import StepDisplay
    from nas.data import describe
    from nas.ledger import Ledger
    from nas.search.definition import searched_study
    from nas.search.sweeps.refinement import (
        best_of_front,
        named_architectures,
        plan_refinement,
        require_top_or_ids,
    )

    require_top_or_ids(top, identities)
    with Ledger.read(storage) as ledger:
        name, definition = searched_study(ledger, study)
        if identities:
            architectures = named_architectures(ledger, name, identities)
        else:
            rows = best_of_front(ledger, name, definition, top=top)
            architectures = [Architecture.from_dict(ledger.architecture(row.id)) for row in rows]
    if data is None or recipe is None:
        definition.require_recipe(name, "say what to refine by --recipe and --data")
    found = _recipe(definition.recipe, recipe, epochs, rungs)
    with StepDisplay("reading the images") as display:
        expected = None if data is not None else definition.fingerprint
        described = describe(data or definition.data, progress=display.count, expected=expected)
    return plan_refinement(name, definition, architectures, data=described, recipe=found, trials=trials, seed=seed)


def _recipe(own: Recipe, name: str | None, epochs: int | None, rungs: str | None) -> Recipe:
    """The study's recipe, or another one, with what the command line says instead."""
    from nas.search.sweeps.refinement import refined_recipe
    from nas.train.recipe import load_recipe

    base = own if name is None else load_recipe(name)
    stops = epochs_of(rungs)
    if epochs is not None:
        kept = [rung for rung in base.to_dict().get("rungs", []) if rung["epochs"] < epochs]
        base = base.changed(epochs=epochs, rungs=kept)
    return refined_recipe(base, rungs=stops)


def _announce(plan: Refinement, settings: ExecutorSettings, storage: str) -> None:
    from nas.cli.output import aside, strong
    from nas.ledger import redacted
    from nas.units import plural

    recipe = plan.recipe
    stops = " and ".join(str(rung.epochs) for rung in recipe.rungs)
    aside().print(
        strong(f"Study {plan.name}") + f" in {redacted(storage)}\n"
        f"  refines  {plural(len(plan.architectures), 'architecture')} of {plan.refines}\n"
        f"  tries    {plan.trials} recipes on each, the unchanged one included, seed {plan.seed}\n"
        f"  each     {plan.data} at {recipe.resolution}x{recipe.resolution}, {plural(recipe.epochs, 'epoch')}"
        f"{f'; most stop after {stops}' if stops else ''}\n"
        f"  train    {settings.describe(len(plan.architectures) * plan.trials)}",
        soft_wrap=True,
    )


def _print_plan(plan: Refinement) -> None:
    from nas.cli.output import print_json

    recipes = {
        one.id: [plan.recipe_of(one, draw).to_dict() for draw in range(plan.trials)] for one in plan.architectures
    }
    print_json({"study": plan.name, "recipes": recipes, "definition": plan.to_dict()})


def _refine(
    plan: Refinement, settings: ExecutorSettings, checkpoints: str | None, storage: str, metrics: Place | None
) -> list[RefinedRow]:
    from nas.cli.output import notice
    from nas.cli.sweeps import train_sweep
    from nas.ledger import Ledger
    from nas.report.refine import refined_rows
    from nas.search.artifacts import checkpoints_place
    from nas.search.sweeps.refinement_run import RefinementRun
    from nas.train.checkpoint import require_place

    place = checkpoints_place(checkpoints, storage, plan.name)
    require_place(place)
    with Ledger.open(storage, notify=notice) as ledger:
        source = RefinementRun(plan, ledger, checkpoints=place)
        train_sweep(source, plan.to_dict(), settings, metrics=metrics)
        return refined_rows(plan, ledger.trials(plan.name))


def _write_recipes(plan: Refinement, rows: Sequence[RefinedRow], folder: Path) -> dict[str, str]:
    """The best recipe of every architecture that has one, as a file; the files by architecture."""
    from nas.cli.output import aside
    from nas.data.atomic import new_file
    from nas.errors import UserError
    from nas.report.refine import recipe_text

    files: dict[str, str] = {}
    best = {row.id: row for row in rows if row.best is not None}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for architecture in plan.architectures:
            if architecture.id not in best:
                continue
            row = best[architecture.id]
            path = folder / f"{row.id}.yaml"
            with new_file(path) as temporary:
                text = recipe_text(plan.recipe_of(architecture, row.draw), row, plan)
                temporary.write_text(text, encoding="utf-8")
            files[row.id] = str(path)
    except OSError as error:
        raise UserError(f"{folder}: the recipes cannot be written there: {error.strerror or error}") from None
    aside().print(f"{len(files)} recipes written to {folder}", soft_wrap=True)
    return files


def _show(plan: Refinement, rows: Sequence[RefinedRow], files: dict[str, str], storage: str, *, as_json: bool) -> None:
    from nas.report.refine import OPTIMISTIC

    commands = {row.id: _training_of(plan, row, files, storage) for row in rows if row.best is not None}
    if as_json:
        from nas.cli.output import print_json

        shown = [{**row.to_dict(), "file": files.get(row.id), "train": commands.get(row.id)} for row in rows]
        print_json({"study": plan.name, "architectures": shown, "note": OPTIMISTIC})
        return
    from nas.cli.output import draw
    from nas.cli.tables import refine_table

    draw(refine_table(rows, f"{plan.refines}: recipes refined"), "", OPTIMISTIC, "")
    if files:
        draw(*(f"train it: {command}" for command in commands.values()))
    else:
        draw("for the recipes as files, give the same command again with -o recipes/")


def _training_of(plan: Refinement, row: RefinedRow, files: dict[str, str], storage: str) -> str | None:
    """The command that trains an architecture by its best recipe; None where no file has it."""
    if row.id not in files:
        return None
    words = ("--recipe", files[row.id], "--data", plan.data, "--seeds", "3", "-o", f"trained/{row.id}")
    return proposed("train", *words, arguments=[f"{plan.refines}:{row.id}"], storage=storage)
