"""`nas search`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import Budgets, Classes, Data, Device, Json, Resolution, Storage, at, overridden
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.ledger import Ledger
    from nas.search.definition import StudyDefinition, StudyFile
    from nas.search.launch import Plan


def run(
    space: Annotated[
        str | None, typer.Option("--space", "-s", help="A space file, or the name of a packaged space.")
    ] = None,
    budget: Budgets = None,
    data: Data = None,
    trials: Annotated[int | None, typer.Option("--trials", "-n", min=1, help="Candidates to evaluate.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, help="Trainings at a time, one thread each; default: cores.")
    ] = None,
    sampler: Annotated[str | None, typer.Option("--sampler", help="tpe, nsga2 or random.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed of sampler and trainings.")] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="Name for the study, or a study file (.yaml) that says everything.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a study: --study NAME, or the latest.")] = False,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Length of a proxy training.")] = None,
    data_share: Annotated[
        float | None, typer.Option("--data-share", help="Part of the training images a proxy uses, in (0, 1].")
    ] = None,
    resolution: Resolution = None,
    classes: Classes = None,
    executor: Annotated[str, typer.Option("--executor", help="Who trains: local.")] = "local",
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, say what would run, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Search a space within a budget and end with a Pareto front.

    Candidates are trained as proxies: the network itself, at low resolution for few epochs, on real images.
    Everything is kept in the ledger as it happens; an interrupted search goes on with --resume.
    """
    from nas.errors import UserError
    from nas.executors import executors
    from nas.ledger import Ledger
    from nas.search.launch import available_cores, new_plan, resolve_device, resumed_plan, study_path

    executors[executor]
    place = resolve_device(device)
    path = study_path(study) if study else None
    given: dict[str, Any] = {
        "space": space, "budget": budget, "data": data, "sampler": sampler, "seed": seed, "epochs": epochs,
        "data_share": data_share, "resolution": resolution, "classes": classes,
    }  # fmt: skip
    written = None if resume and path is None else _study_file(path, space)
    name = written.name if written is not None and path is not None else study
    if resume:
        if path is not None and name is None:
            raise UserError(f"{path} does not name its study; resume it by --study NAME (`nas studies` lists them)")
        said, moved = _contradictable(given)
        target = trials or (written.trials if written is not None else None)
        with Ledger.read(storage) as ledger:
            plan = resumed_plan(ledger, name, trials=target, given=said, data=moved)
    else:
        known = written or _study_file(path, space)
        definition = _definition(known, path, given)  # checked before anything is made
        plan = new_plan(definition, name=name, trials=trials or known.trials, taken=_taken(storage))
    wide = min(workers or (written.workers if written else None) or available_cores(), plan.trials)
    _announce(plan, wide, place, storage)
    if dry_run:
        if as_json:
            from nas.cli.output import print_json

            facts = {"study": plan.name, "is_new": plan.is_new, "trials": plan.trials, "workers": wide}
            print_json({**facts, "definition": plan.definition.to_dict()})
        return
    with Ledger.open(storage) as ledger:
        _search(plan, ledger, storage, executor, wide, place)
        _finish(plan, ledger, storage, as_json=as_json)


def _taken(storage: str) -> set[str]:
    """Names of the studies there are; a ledger that is not there yet has none."""
    from nas.errors import LedgerError
    from nas.ledger import Ledger

    try:
        with Ledger.read(storage) as ledger:
            return {study.name for study in ledger.studies()}
    except LedgerError:
        return set()  # `Ledger.open` says what is wrong, should anything be


def _study_file(path: Path | None, space: str | None) -> StudyFile:
    """The study file, or the defaults around `--space`."""
    from nas.errors import UserError
    from nas.schema.packaged import STUDIES, packaged, space_names
    from nas.search.definition import StudyFile, read_study_file

    if path is not None:
        travelling = packaged(STUDIES) / path.name
        return read_study_file(travelling if not path.exists() and travelling.is_file() else path)
    if space is None:
        raise UserError(
            f"which space? Name a file or a packaged one with --space (packaged: {', '.join(space_names())})"
        )
    return StudyFile(space=space)


def _definition(written: StudyFile, path: Path | None, given: dict[str, Any]) -> StudyDefinition:
    """What the study file says, with what the command line says instead."""
    from nas.cli.live import StepDisplay
    from nas.cost import Budget
    from nas.search.launch import define
    from nas.space import load_space
    from nas.train.recipe import Recipe

    found = load_space(given["space"]) if given["space"] else written.load_space(path.parent if path else Path())
    task = overridden(found.task, written.task.resolution, written.task.classes)
    if written.task.channels is not None:
        task = replace(task, channels=written.task.channels)
    fields = {name: given[name] for name in ("epochs", "data_share") if given[name] is not None}
    with StepDisplay("reading the images") as display:
        return define(
            found,
            Budget.parse(given["budget"] or written.budget),
            task=overridden(task, given["resolution"], given["classes"]),
            data=given["data"] or written.data,
            recipe=Recipe.from_dict({**written.recipe.to_dict(), **fields}),
            sampler=given["sampler"] or written.sampler,
            seed=written.seed if given["seed"] is None else given["seed"],
            progress=display.count,
        )


def _contradictable(given: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """What the command line says about a study that exists, in the words of its definition; and where its data is."""
    from nas.cost import Budget
    from nas.space import load_space

    said: dict[str, Any] = {name: given[name] for name in ("sampler", "seed") if given[name] is not None}
    if given["budget"]:
        said["budget"] = [str(bound) for bound in Budget.parse(given["budget"]).bounds]
    if given["space"]:
        found = load_space(given["space"])
        said["space"] = {"name": found.name, "text": found.text}
    moved = None
    if given["data"]:
        from nas.data import describe

        found_data = describe(given["data"])
        said["fingerprint"], moved = found_data.fingerprint, found_data.reference
    fixed = [
        f"--{name.replace('_', '-')}"
        for name in ("epochs", "data_share", "resolution", "classes")
        if given[name] is not None
    ]
    if fixed:
        from nas.errors import StudyError

        raise StudyError(
            f"{', '.join(fixed)} cannot change in a study that has begun; leave it out, or begin a new one"
        )
    return said, moved


def _announce(plan: Plan, workers: int, device: str, storage: str) -> None:
    from nas.cli.output import aside
    from nas.ledger import redacted
    from nas.units import plural

    definition = plan.definition
    task, recipe = definition.task, definition.recipe
    out = aside()
    verb = "New study" if plan.is_new else "Going on with study"
    out.print(f"[bold]{verb} {plan.name}[/bold] in {redacted(storage)}")
    out.print(
        f"  space   {definition.space.name}: {definition.space.size():,} architectures\n"
        f"  budget  {definition.budget}, at {task.resolution}x{task.resolution} with {task.classes} classes\n"
        f"  proxy   {definition.data} at {recipe.resolution}x{recipe.resolution}, {plural(recipe.epochs, 'epoch')}\n"
        f"  search  {plan.trials} candidates by {definition.sampler}, seed {definition.seed}, "
        f"{workers} at a time on {device}",
        soft_wrap=True,
    )


def _search(plan: Plan, ledger: Ledger, storage: str, executor: str, workers: int, device: str) -> None:
    from nas.cli.live import SearchDisplay, StepDisplay
    from nas.cli.output import aside
    from nas.search.launch import prepare_data, run_plan

    begun = not plan.is_new
    try:
        with StepDisplay("decoding the images") as decoding:
            prepare_data(plan.definition, decoding.count)
        begun = True
        with SearchDisplay() as display:
            run_plan(
                plan,
                ledger,
                storage=storage,
                executor=executor,
                workers=workers,
                device=device,
                watch=display.update,
            )
    except KeyboardInterrupt:
        go_on = f"nas search --resume --study {plan.name} --trials {plan.trials}{at(storage)}"
        kept = "Interrupted; what is finished is kept. Go on with" if begun else "Interrupted before anything began"
        aside().print(f"\n{kept}: {go_on}" if begun else f"\n{kept}.", soft_wrap=True)
        raise


def _finish(plan: Plan, ledger: Ledger, storage: str, *, as_json: bool) -> None:
    from nas.analysis.front import evaluated_rows, front_rows

    budget = plan.definition.budget
    rows = evaluated_rows(ledger.trials(plan.name), budget)
    best = front_rows(rows)
    if as_json:
        from nas.cli.output import print_json

        print_json({"study": plan.name, "evaluated": len(rows), "front": [row.to_dict() for row in best]})
        return
    from nas.cli.commands.pareto import draw_front

    draw_front(plan.name, budget, rows, best, best, storage)
