"""`nas search`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import (
    Budgets,
    Checkpoints,
    Classes,
    Data,
    Evaluate,
    Json,
    MeasureOn,
    Metrics,
    MlflowFolder,
    RecipeName,
    Resolution,
    SpaceOption,
    StorageOrFile,
    TensorBoardFolder,
    WandbFolder,
    epochs_of,
    proposed,
)
from nas.cli.workers import WorkerOptions, as_options
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.executors.settings import ExecutorSettings
    from nas.ledger import Ledger
    from nas.pulse import Pulse
    from nas.report.metrics import Place
    from nas.search.definition import StudyDefinition
    from nas.search.launch import Plan
    from nas.search.pulse import Progress
    from nas.search.resolve import Asked
    from nas.search.stopping import Limits
    from nas.train.trackers import Tracker


_LIMITS, _CHOOSING, _PROXY = "When it ends", "How candidates are chosen", "How they are trained"  # headings of the help


def run(
    space: SpaceOption = None,
    budget: Budgets = None,
    data: Data = None,
    objective: Annotated[
        str | None,
        typer.Option(
            "--objective",
            help="accuracy against one or two of flops, params and activations, such as accuracy,flops (the default); "
            "accuracy alone for the best within the budget.",
            rich_help_panel=_CHOOSING,
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", "-n", min=1, help="Candidates to evaluate.", rich_help_panel=_LIMITS)
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", help="Begin no training after this time, such as 2h or 1h30min.", rich_help_panel=_LIMITS
        ),
    ] = None,
    train_time: Annotated[
        str | None,
        typer.Option("--train-time", help="The same for the time of all trainings together.", rich_help_panel=_LIMITS),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience",
            min=1,
            help="Stop after so many candidates by which the front hardly grew.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            "--sampler", help="surrogate (the default), evolution, tpe, nsga2, gp or random.", rich_help_panel=_CHOOSING
        ),
    ] = None,
    control: Annotated[
        float | None,
        typer.Option(
            "--control",
            min=0.0,
            max=1.0,
            help="Share of trials drawn at random, to compare with; default: 0.1.",
            rich_help_panel=_CHOOSING,
        ),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(
            "--start",
            help="An ARCH in the space (preset, file, exported folder, STUDY:ID), or a study whose front comes first. "
            "Repeatable.",
            rich_help_panel=_CHOOSING,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed of sampler and trainings.")] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="Name for the study, or a study file (.yaml) that says everything.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a study: --study NAME, or the latest.")] = False,
    recipe: RecipeName = None,
    rungs: Annotated[
        str | None,
        typer.Option(
            "--rungs",
            help="Epochs after which most proxies stop, such as 1,3; none: train all to the end.",
            rich_help_panel=_PROXY,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Length of a proxy training.", rich_help_panel=_PROXY)
    ] = None,
    data_share: Annotated[
        float | None,
        typer.Option(
            "--data-share", help="Part of the training images a proxy uses, in (0, 1].", rich_help_panel=_PROXY
        ),
    ] = None,
    evaluate: Evaluate = None,
    resolution: Resolution = None,
    classes: Classes = None,
    *,
    who: WorkerOptions,
    measure_on: MeasureOn = None,
    checkpoints: Checkpoints = None,
    storage: StorageOrFile = None,
    metrics: Metrics = None,
    tensorboard: TensorBoardFolder = None,
    wandb: WandbFolder = None,
    mlflow: MlflowFolder = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, say what would run, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Search a space within a budget and end with a Pareto front.

    Candidates are trained as proxies: the network itself, at low resolution for few epochs, on real images; or by your
    own function with --evaluate.
    Everything is kept in the ledger as it happens; an interrupted search goes on with --resume.
    """
    from nas.cli.metrics import serving
    from nas.cli.output import notice
    from nas.ledger import Ledger
    from nas.report.metrics import parse_place
    from nas.search.gauge import require_use
    from nas.search.launch import leaving_a_core, study_path
    from nas.search.resolve import Asked
    from nas.train.trackers import find_trackers

    path = study_path(study) if study else None
    asked = Asked(
        path=path,
        given={
            "space": space, "budget": budget, "data": data, "objective": objective, "sampler": sampler, "seed": seed,
            "control": control, "start": start, "recipe": recipe, "rungs": epochs_of(rungs), "epochs": epochs,
            "data_share": data_share, "resolution": resolution, "classes": classes, "trials": trials, "time": time,
            "train_time": train_time, "patience": patience, "workers": who.workers, "evaluate": evaluate,
        },
        measures_here=measure_on is None,
    )  # fmt: skip
    storage = storage or asked.storage or DEFAULT_STORAGE
    page = None if metrics is None else parse_place(metrics)
    folders = {"tensorboard": tensorboard, "wandb": wandb, "mlflow": mlflow}
    trackers = find_trackers(**folders)
    wide = who.workers if path is None else asked.written().workers
    settings = replace(who, workers=wide).settings(measure_on=measure_on)
    plan = _plan(asked, None if path is not None else study, storage, resume=resume)
    require_use(settings, plan.definition.profiles)
    if not wide:
        settings = leaving_a_core(settings, plan.definition)
    _announce(plan, settings, storage)
    if dry_run:
        _require_places(page, {"checkpoints": checkpoints, **folders}, storage)
        if as_json:
            from nas.cli.output import print_json

            staff = {"executor": settings.kind, "workers": settings.workers_for(plan.limits.trials)}
            facts = {"study": plan.name, "is_new": plan.is_new, **plan.limits.to_dict(), **staff}
            print_json({**facts, "definition": plan.definition.to_dict()})
        return
    with serving(page) as listen, Ledger.open(storage, notify=notice) as ledger:
        with _saying_how_to_go_on(plan, ledger, storage, settings, {"checkpoints": checkpoints, **folders}):
            progress = _search(plan, ledger, storage, settings, checkpoints, listen, trackers)
        _finish(plan, ledger, storage, progress, as_json=as_json)


def _require_places(page: Place | None, folders: Mapping[str, str | Path | None], storage: str) -> None:
    """What a run would write to and listen at, without a trace; raises UserError where that could not be.

    A ledger of a server is not connected to, and neither is the host of checkpoints at a URL.
    """
    import os

    from nas.errors import UserError
    from nas.ledger.address import place
    from nas.report.metrics import MetricsServer

    if page is not None:
        MetricsServer(page).close()
    files = {
        f"--{name}": Path(folder).absolute()
        for name, folder in folders.items()
        if folder is not None and "://" not in str(folder)
    }
    if storage.startswith("sqlite:///"):
        ledger = Path(place(storage)).absolute()
        if not ledger.parent.is_dir():
            raise UserError(f"--storage: there is no folder {ledger.parent}; create it first")
        files["--storage"] = ledger.parent
    for option, folder in files.items():
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise UserError(f"{option}: {there} is no folder that can be written to")


def _plan(asked: Asked, name: str | None, storage: str, *, resume: bool) -> Plan:
    from nas.cli.live import StepDisplay
    from nas.search.resolve import planned, resumed

    if resume:
        return resumed(asked, name, storage)
    with StepDisplay("reading the images") as display:
        return planned(asked, name, storage, display.count)


def _announce(plan: Plan, settings: ExecutorSettings, storage: str) -> None:
    from nas.cli.output import aside, strong
    from nas.ledger import redacted

    definition = plan.definition
    task = definition.task
    out = aside()
    verb = "New study" if plan.is_new else "Going on with study"
    out.print(strong(f"{verb} {plan.name}") + f" in {redacted(storage)}", soft_wrap=True)
    out.print(
        f"  space   {definition.space.name}: {definition.space.size():,} architectures\n"
        f"  budget  {definition.budget}, at {task.resolution}x{task.resolution} with {task.classes} classes\n"
        f"{_trained_by(definition)}\n"
        f"  search  {definition.objectives} by {definition.sampler}, seed {definition.seed}, "
        f"{len(definition.start)} given to begin with\n"
        f"  train   {settings.describe(plan.limits.trials)}\n"
        f"  until   {plan.limits}",
        soft_wrap=True,
    )


def _trained_by(definition: StudyDefinition) -> str:
    """How candidates are trained, for people."""
    from nas.units import plural

    own, recipe = definition.evaluate, definition.recipe
    if own is None:
        length = f"{plural(recipe.epochs, 'epoch')}{_stops([rung.epochs for rung in recipe.rungs])}"
        chosen = "" if definition.chosen_by is None else f"\n  recipe  {definition.chosen_by}"
        return f"  proxy   {definition.data} at {recipe.resolution}x{recipe.resolution}, {length}{chosen}"
    length = "" if own.epochs is None else f", {plural(own.epochs, 'epoch')}{_stops(own.rungs)}"
    return f"  by      {own.function}{length}"


def _stops(epochs: Sequence[int]) -> str:
    """Where most trainings stop, for people."""
    return f"; most stop after {' and '.join(map(str, epochs))}" if epochs else ""


def _search(
    plan: Plan,
    ledger: Ledger,
    storage: str,
    settings: ExecutorSettings,
    checkpoints: str | None,
    listen: Callable[[Pulse], None],
    trackers: Sequence[Tracker],
) -> Progress:
    from nas.cli.live import SearchDisplay
    from nas.cli.output import notice
    from nas.cli.preparing import ready_images
    from nas.search.artifacts import checkpoints_place
    from nas.search.launch import run_plan
    from nas.train.checkpoint import require_place

    said: list[str] = []
    place = checkpoints_place(checkpoints, storage, plan.name)
    if checkpoints is not None:
        require_place(place)
    try:
        definition = plan.definition
        if definition.evaluate is None:
            ready_images(definition.data, definition.recipe.stored_resolution, expected=definition.fingerprint)
        with SearchDisplay() as display:
            return run_plan(
                plan,
                ledger,
                storage=storage,
                settings=settings,
                watch=display.update,
                listen=listen,
                say=said.append,
                checkpoints=place,
                trackers=trackers,
            )
    finally:
        for sentence in said:
            notice(sentence)


@contextmanager
def _saying_how_to_go_on(
    plan: Plan, ledger: Ledger, storage: str, settings: ExecutorSettings, places: Mapping[str, object]
) -> Iterator[None]:
    """Say, where the search is interrupted, by what command it goes on, with what it writes to."""
    from nas.cli.output import aside

    try:
        yield
    except KeyboardInterrupt:
        begun = plan.name in {study.name for study in ledger.studies()}
        where = [word for name, place in places.items() if place is not None for word in (f"--{name}", str(place))]
        words = ["--resume", "--study", plan.name, *_as_options(plan.limits), *as_options(settings), *where]
        go_on = proposed("search", *words, storage=storage)
        kept = "Interrupted; what is finished is kept. Go on with" if begun else "Interrupted before anything began"
        aside().print(f"\n{kept}: {go_on}" if begun else f"\n{kept}.", soft_wrap=True)
        raise


def _as_options(limits: Limits) -> list[str]:
    """Limits as they are written on a command line."""
    values = {
        "trials": limits.trials,
        "time": None if limits.seconds is None else f"{limits.seconds:.15g}s",
        "train-time": None if limits.train_seconds is None else f"{limits.train_seconds:.15g}s",
        "patience": limits.patience,
    }
    return [word for name, value in values.items() if value is not None for word in (f"--{name}", str(value))]


def _finish(plan: Plan, ledger: Ledger, storage: str, progress: Progress, *, as_json: bool) -> None:
    from nas.report.fronts import read_front
    from nas.report.proxy_health import study_health

    health = study_health(ledger, plan.name)
    found = read_front(ledger, plan.name)
    if as_json:
        from nas.cli.output import print_json

        front = [{**row.to_dict(), "study": plan.name} for row in found.best]
        print_json(
            {
                "study": plan.name,
                "evaluated": len(found.rows),
                "front": front,
                "search": progress.account(),
                "proxy_health": [row.to_dict() for row in health],
            }
        )
    else:
        from nas.analysis.proxy_health import warnings
        from nas.cli.commands.pareto import draw_front
        from nas.cli.health_view import health_view
        from nas.cli.output import draw

        _say_what_it_took(progress)
        draw_front(found, storage)
        if (view := health_view(warnings(health))) is not None:
            draw("", view)
    _require_success(plan.name, ledger, progress)


def _require_success(study: str, ledger: Ledger, progress: Progress) -> None:
    """Raise NasError where every candidate has failed, with what they failed by."""
    from nas.errors import NasError
    from nas.records import TrialState

    if not progress.failed or progress.failed < progress.done:
        return
    failed = [one.evaluation for one in ledger.trials(study, {TrialState.FAILED}) if one.evaluation is not None]
    reasons = Counter(str(one.failure).replace("_", " ") for one in failed)
    counted = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    last = f"; the last one: {failed[-1].message}" if failed else ""
    raise NasError(f"every candidate of {study} failed ({counted}){last}")


def _say_what_it_took(progress: Progress) -> None:
    from nas.cli.output import aside
    from nas.units import format_seconds, plural

    reused = f", {plural(progress.reused, 'evaluation')} reused from the ledger" if progress.reused else ""
    aside().print(
        f"Ended by {progress.stop}: {plural(progress.trained, 'training')}, {progress.failed} failed{reused}, "
        f"{progress.rejected} over budget; {format_seconds(progress.train_seconds)} of training, "
        f"{format_seconds(progress.asking_seconds)} of choosing, {format_seconds(progress.seconds)} in all",
        soft_wrap=True,
    )
