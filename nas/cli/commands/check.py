"""`nas check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import (
    Budgets,
    Classes,
    Data,
    Device,
    Evaluate,
    Json,
    RecipeName,
    Resolution,
    Space,
    Storage,
    Workers,
    overridden,
)
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.analysis.proxy_health import HealthRow
    from nas.architecture import Architecture
    from nas.cost import Budget
    from nas.data import DataSet, Description
    from nas.search.definition import StudyFile
    from nas.search.resolve import Asked
    from nas.space.feasible import FeasibleSet
    from nas.space.summary import Summary
    from nas.task import Task
    from nas.train.default_recipe import ChosenBy
    from nas.train.recipe import Recipe

_TIMED = 3  # architectures whose pace is measured


def run(
    space: Space,
    budget: Budgets = None,
    data: Data = None,
    trials: Annotated[int | None, typer.Option("--trials", "-n", min=1, help="Candidates the run would have.")] = None,
    workers: Workers = None,
    recipe: RecipeName = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Length of a proxy training.")] = None,
    evaluate: Evaluate = None,
    resolution: Resolution = None,
    classes: Classes = None,
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Say what a search would do before it is paid for.

    Size of the space, reach of its costs, how many points are within budget, choices that are none, and what the run
    will take.
    """
    from dataclasses import asdict

    from nas.cli.health_view import health_view
    from nas.cli.output import draw
    from nas.cost import Budget
    from nas.search.definition import DEFAULT_TRIALS
    from nas.search.launch import default_workers, resolve_device
    from nas.search.resolve import Asked
    from nas.space import load_space
    from nas.space.summary import summarise

    limits, found = Budget.parse(budget), load_space(space)
    task = overridden(found.task, resolution, classes)
    asked = Asked(given={"space": space, "data": data, "recipe": recipe, "epochs": epochs, "evaluate": evaluate})
    own = asked.evaluate(written := asked.written())
    looked = summarise(within := found.within(limits.closed, task=task))
    latency = _latency(within, limits, task, space, storage) if limits.measured else {}
    place = resolve_device(device)
    health: list[HealthRow] = []
    plan: dict[str, Any] = {"trials": trials or DEFAULT_TRIALS, "workers": workers or default_workers(place)}
    if own is None:
        proxy, by, health = _proxy(within, asked, written)
        plan |= _proxy_plan(looked, written.data, proxy, place, plan)
        plan |= {"chosen_by": None if by is None else by.to_dict(), "proxy_health": [one.to_dict() for one in health]}
    else:
        plan |= {"evaluate": own.function.to_dict(), "epochs": epochs, "findings": []}
    if as_json:
        from nas.cli.output import print_json

        numbers = {name: value for name, value in asdict(looked).items() if name != "examples"}
        numbers |= {"latency": latency} if latency else {}
        print_json({"space": found.name, "budget": str(limits), "resolution": task.resolution, **numbers, "plan": plan})
        return
    trained_by = None if own is None else str(own.function)
    _draw(
        looked,
        trained_by,
        f"{found.name} within {limits} at {task.resolution}x{task.resolution}",
        str(within.size),
        plan,
    )
    if latency:
        draw("", *_latency_words(latency))
    if (view := health_view(health)) is not None:
        draw("", view)


def _latency(within: FeasibleSet, limits: Budget, task: Task, space: str, storage: str) -> dict[str, Any]:
    """What part of the points within the other bounds is within the latencies, by prediction; or why none is known."""
    from dataclasses import asdict

    import numpy as np

    from nas.measure.prediction.within import TooFewMeasuredError, forecasting, reach

    try:
        with forecasting(limits, task, storage, space=space) as forecasts:
            return asdict(reach(within, forecasts, np.random.default_rng(0)))
    except TooFewMeasuredError as error:
        return {"unknown": str(error)}


def _latency_words(latency: dict[str, Any]) -> list[str]:
    if "unknown" in latency:
        return ["a search measures each network before it trains it; " + latency["unknown"]]
    words = [
        f"{name}: {latency['smallest'][name]:.3g} to {latency['largest'][name]:.3g} ms, the median {median:.3g}"
        for name, median in latency["median"].items()
    ]
    unseen = f"; {latency['unseen']} hold what nobody has measured" if latency["unseen"] else ""
    share = f"of {latency['drawn']} points within the other bounds {latency['within']} are within the latency, too"
    return [*words, f"{share}, by prediction{unseen}; a search measures each before it trains it"]


def _proxy(within: FeasibleSet, asked: Asked, written: StudyFile) -> tuple[Recipe, ChosenBy | None, list[HealthRow]]:
    """How candidates would be trained, by what that was chosen if nobody named it, and what it could tell apart."""
    from nas.analysis.proxy_health import expected_health
    from nas.search.launch import chosen_by, yardstick_on

    described = _described(written.data)
    by = None if asked.names_recipe else chosen_by(within, described)
    recipe = written.recipe if by is None else by.recipe().changed(**asked.recipe_changes)
    return recipe, by, expected_health(yardstick_on(described))


def _proxy_plan(looked: Summary, data: str, proxy: Recipe, device: str, plan: dict[str, Any]) -> dict[str, Any]:
    """What training candidates as proxies would read and take."""
    from nas.search.halving import expected_share

    images = _read(data, proxy)
    seconds = _paces(looked, images, proxy, device)
    mean, count = sum(seconds) / len(seconds) * expected_share(proxy.fidelities), plan["trials"]
    return {
        "seconds_per_candidate": seconds,
        "run_seconds": mean * count / min(plan["workers"], count),
        "recipe": proxy.to_dict(),
        "epochs": proxy.epochs,
        "rungs": [rung.epochs for rung in proxy.rungs],
        "data": data,
        "images": {"train": len(images.train), "validation": len(images.validation), "test": len(images.test)},
        "findings": list(images.findings.sentences()),
    }


def _described(data: str) -> Description:
    from nas.cli.live import StepDisplay
    from nas.data import describe

    with StepDisplay("reading the images") as display:
        return describe(data, progress=display.count)


def _read(data: str, recipe: Recipe) -> DataSet:
    from nas.cli.live import StepDisplay
    from nas.data import load_data

    with StepDisplay("reading the images") as display:
        return load_data(data, resolution=recipe.stored_resolution, progress=display.count)


def _paces(looked: Summary, images: DataSet, recipe: Recipe, device: str) -> list[float]:
    """Measured seconds of a cheap, a middling and a dear candidate."""
    from nas.evaluate.pace import proxy_seconds
    from nas.space.summary import spread_over

    examples: list[Architecture] = spread_over(looked.examples, _TIMED)
    return [proxy_seconds(example, images, recipe, device=device) for example in examples]


def _draw(looked: Summary, trained_by: str | None, title: str, points: str, plan: dict[str, Any]) -> None:
    from nas.cli.output import draw, strong
    from nas.cli.tables import table
    from nas.train.default_recipe import ChosenBy
    from nas.units import format_count, format_seconds, plural

    made = table(title, "metric", ">smallest", ">median", ">largest")
    for reach in looked.reach:
        made.add_row(reach.metric, *(format_count(one) for one in (reach.smallest, reach.median, reach.largest)))
    draw(made)
    draw(f"{looked.size:,} architectures from {looked.decisions} decisions")
    if looked.size < looked.answers:
        draw(f"the other {1 - looked.size / looked.answers:.1%} of {looked.answers:,} combinations do not fit together")
    draw(f"{points} of them within budget, {looked.feasible:.3%}")
    if looked.walked:
        draw(
            f"[yellow]walked[/yellow]  {looked.walked}: a thousand times slower than by table, and counts are estimates"
        )
    for sentence in looked.dead:
        draw(strong("dead choice", "yellow") + f"  {sentence}")
    if trained_by is not None:
        draw(
            f"candidates are trained by {trained_by}, which says itself what it takes",
            f"{plan['trials']} candidates, {plan['workers']} at a time",
        )
        return
    counts = ", ".join(f"{count:,} {split}" for split, count in plan["images"].items())
    draw(f"images of {plan['data']}: {counts}")
    if plan["chosen_by"] is not None:
        draw(f"recipe: {ChosenBy.from_dict(plan['chosen_by'])}")
    for sentence in plan["findings"]:
        draw(strong("note", "yellow") + f"  {sentence}")
    low, high = (format_seconds(end(plan["seconds_per_candidate"])) for end in (min, max))
    draw(
        f"a proxy ({plan['data']}, {plural(plan['epochs'], 'epoch')}): {low} to {high} on one thread, measured here"
        + (f"; most stop after {plural(plan['rungs'][0], 'epoch')}" if plan["rungs"] else ""),
        f"{plan['trials']} candidates, {plan['workers']} at a time: about {format_seconds(plan['run_seconds'])}",
    )
