"""Simulated searches in words: what one driver can do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nas.report.markdown import grid
from nas.search.simulation.apart import Measured
from nas.search.simulation.run import Cell
from nas.units import format_bytes, format_seconds, plural

HEADS = (
    "sampler", ">workers", ">trials", ">trials/s", ">ms/trial", ">in sampler", ">busy from", ">busy at mean",
    ">memory", ">growth", ">ledger", ">resume", ">front", ">failed", ">lost", ">wall",
)  # fmt: skip
"""Heads of the table; those with a '>' are aligned to the right."""

_MEMORY = 8  # the column where what is about memory and results begins
_KEY = 3  # the first columns, which say which search it is


NOTES = (
    "Everything but the trainings is what `nas search` does: sampler, pricing, engine, durable ledger, Optuna's tables "
    "beside it. Trainings take virtual time, so one process with one thread does the work of a driver, and what the "
    "simulation itself takes is left out. Seconds are of processor time, which others on the machine change little; "
    "'wall' is the clock's time of the search, theirs and the simulation's included.",
    "trials/s, ms/trial: of the driver alone, after it has set up the search; in sampler: the part of a trial's "
    "milliseconds that goes into asking and pricing. Busy from: the mean length of a training from which on the "
    "driver keeps all workers busy, since it has to hand out one job for each that ends; busy at mean: the share "
    "of the workers' time that it keeps busy if trainings are as long as simulated, a bound that counts the driver's "
    "work only. Memory: the peak of the process, libraries and tables of the space included; growth: what the search "
    "added to that. Resume: a fresh process opens the study at its end and restores it, until it could ask for the "
    "next candidate. Lost: workers; their trainings are handed out again, twice at most.",
)


def rows(found: Iterable[Measured]) -> list[tuple[str, ...]]:
    """The cells of the table."""
    return [_row(one) for one in found]


def halves() -> tuple[list[int], list[int]]:
    """The columns about speed and those about size, where all of them side by side are too wide."""
    columns = [*range(len(HEADS))]
    last = columns.pop()
    return [*columns[:_MEMORY], last], [*columns[:_KEY], *columns[_MEMORY:]]


def conditions(cell: Cell) -> str:
    """What is simulated, which holds for all cells of a table."""
    definition, trainings = cell.definition, cell.trainings
    budget = ", ".join(definition["budget"]) or "no budget"
    ended = "" if cell.together == 1 else f" Each look of the driver finds {cell.together} trainings that have ended."
    return (
        f"Space {definition['space']['name']} within {budget}. A whole training of a typical network takes "
        f"{format_seconds(trainings.seconds)} on average, in proportion to FLOPs and epochs, log-normally spread with "
        f"a deviation of {trainings.spread:g}; {trainings.odds}. Seed {trainings.seed}.{ended}"
    )


def markdown(found: Sequence[Measured]) -> str:
    """The report as a file that can be committed."""
    lines = ["# How far one driver reaches", ""]
    for stated, group in by_conditions(found).items():
        lines += [stated, "", *grid(HEADS, rows(group)), ""]
    for note in NOTES:
        lines += [note, ""]
    return "\n".join(lines).rstrip() + "\n"


def by_conditions(found: Iterable[Measured]) -> dict[str, list[Measured]]:
    """The measurements of each table, by what holds for all of it."""
    groups: dict[str, list[Measured]] = {}
    for one in found:
        groups.setdefault(conditions(one.cell), []).append(one)
    return groups


def _row(one: Measured) -> tuple[str, ...]:
    cell, ran = one.cell, one.ran
    per_trial = 1000 * ran.driver_seconds / cell.trials
    return (
        _sampler(cell),
        f"{cell.workers:,}",
        f"{cell.trials:,}",
        f"{cell.trials / ran.driver_seconds:.0f}",
        f"{per_trial:.1f}",
        f"{1000 * ran.sampler_seconds / cell.trials:.1f}",
        format_seconds(one.busy_from),
        f"{one.share_busy:.0%}",
        format_bytes(ran.memory),
        format_bytes(ran.memory_growth),
        format_bytes(ran.database),
        format_seconds(one.resumed.driver_seconds),
        str(ran.front),
        f"{ran.failed:,}",
        f"{ran.lost:,}",
        format_seconds(ran.seconds),
    )


def _sampler(cell: Cell) -> str:
    rungs = cell.definition["recipe"].get("rungs")
    if not rungs:
        return str(cell.definition["sampler"])
    return f"{cell.definition['sampler']}, {plural(len(rungs) + 1, 'rung')}"
