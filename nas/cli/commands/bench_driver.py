"""`nas bench driver`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Budgets, Json, MarkdownFile, Seed, Space

if TYPE_CHECKING:
    from nas.search.simulation.apart import Measured
    from nas.search.simulation.kept import KeptCells
    from nas.search.simulation.run import Cell
    from nas.train.recipe import Recipe

_MOST = 10**9
_EPOCHS = 9


def run(
    space: Space = "modern",
    budget: Budgets = None,
    workers: Annotated[
        str, typer.Option("--workers", "-w", help="Numbers of workers, such as 10,100.")
    ] = "10,100,1000",
    trials: Annotated[str, typer.Option("--trials", "-n", help="Numbers of evaluated candidates.")] = "1000,10000",
    sampler: Annotated[list[str] | None, typer.Option("--sampler", help="Repeatable; default: random.")] = None,
    rungs: Annotated[
        str, typer.Option("--rungs", help=f"Epochs of {_EPOCHS} after which most trainings stop, such as 1,3; or none.")
    ] = "none",
    training: Annotated[str, typer.Option("--training", help="How long a whole training takes on average.")] = "10min",
    spread: Annotated[
        float, typer.Option("--spread", min=0.0, help="Deviation of the logarithm of a training's time.")
    ] = 0.3,
    lost: Annotated[
        float, typer.Option("--lost", min=0, max=1, help="Share of attempts that lose their worker.")
    ] = 0.01,
    out_of_memory: Annotated[
        float, typer.Option("--out-of-memory", min=0, max=1, help="Share of networks that do not fit into memory.")
    ] = 0.01,
    diverged: Annotated[
        float, typer.Option("--diverged", min=0, max=1, help="Share of trainings that diverge.")
    ] = 0.02,
    together: Annotated[
        int, typer.Option("--together", min=1, help="Trainings that have ended by each look of the driver.")
    ] = 1,
    seed: Seed = 0,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            help="The ledger to leave the studies in: sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE; "
            "default: a temporary one for each, which is removed.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="A file (.json) of finished simulations: they are shown, and not done again."),
    ] = None,
    output: MarkdownFile = None,
    as_json: Json = False,
) -> None:
    """Find out how many workers and trials one driver can serve, with trainings that take no time.

    The engine, the sampler and the ledger are those of `nas search`; how long a training takes, whether it fails and
    how accurate its network is are drawn from stated distributions, on a clock that does not wait. Each number of
    workers with each number of trials is a search in a process of its own.
    """
    from nas.data.atomic import new_file
    from nas.search.simulation.kept import KeptCells
    from nas.search.simulation.run import Cell, Trainings
    from nas.search.simulation.world import Odds
    from nas.units import parse_seconds

    trainings = Trainings(
        seconds=parse_seconds(training),
        spread=spread,
        odds=Odds(lost=lost, out_of_memory=out_of_memory, diverged=diverged),
        seed=seed,
    )
    cells = [
        Cell(definition=definition, workers=width, trials=length, together=together, trainings=trainings)
        for definition in _definitions(space, budget or [], sampler or ["random"], _recipe(rungs), seed)
        for length in _numbers("--trials", trials)
        for width in _numbers("--workers", workers)
    ]
    found = _measured(cells, KeptCells(keep), storage)
    if output is not None:
        from nas.report.simulation import markdown

        with new_file(output) as temporary:
            temporary.write_text(markdown(found), encoding="utf-8")
    if as_json:
        from nas.cli.output import print_json

        print_json([one.to_dict() for one in found])
        return
    _draw(found)


def _definitions(space: str, budget: list[str], names: list[str], recipe: Recipe, seed: int) -> list[dict[str, object]]:
    """The studies, by sampler; none of them needs a data set."""
    from nas.cost import Budget
    from nas.search.definition import StudyDefinition
    from nas.search.samplers import samplers
    from nas.space import load_space

    found, bounds = load_space(space), Budget.parse(budget)
    for name in names:
        samplers[name]
    found.within(bounds)  # or says how near the space comes
    return [
        StudyDefinition(
            space=found,
            budget=bounds,
            task=found.task,
            data="simulated",
            fingerprint="simulated",
            recipe=recipe,
            sampler=name,
            seed=seed,
        ).to_dict()
        for name in dict.fromkeys(names)
    ]


def _recipe(rungs: str) -> Recipe:
    from nas.train.recipe import Recipe

    return Recipe.from_dict({"epochs": _EPOCHS, "rungs": [] if rungs == "none" else _numbers("--rungs", rungs)})


def _numbers(option: str, text: str) -> list[int]:
    from nas.errors import UserError

    try:
        found = [int(one.replace("_", "")) for one in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1 or max(found) > _MOST:
        raise UserError(
            f"{option} {text}: write whole numbers from 1 to {_MOST:,} with commas between them, such as 10,100"
        )
    return list(dict.fromkeys(found))


def _measured(cells: list[Cell], kept: KeptCells, storage: str | None) -> list[Measured]:
    from nas.cli.live import StepDisplay
    from nas.search.simulation.apart import measure

    with StepDisplay("simulating") as display:
        for one in measure(kept.missing(cells), storage=storage, watch=display.fraction):
            kept.add(one)
    return kept.found


def _draw(found: list[Measured]) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table
    from nas.report.simulation import HEADS, NOTES, by_conditions, halves, rows

    for stated, group in by_conditions(found).items():
        for columns in halves():
            made = table("How far one driver reaches", *(HEADS[column] for column in columns))
            for row in rows(group):
                made.add_row(*(row[column] for column in columns))
            draw(made)
        draw(stated)
    draw("", NOTES[1])
