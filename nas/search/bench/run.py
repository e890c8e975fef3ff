"""One search of a table, through the engine that searches spaces."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from nas.executors.base import Report
from nas.ledger import Ledger
from nas.records import Evaluation, Job, StudyKind, StudyRecord, TrialState
from nas.search.bench.contestant import Contestant
from nas.search.bench.in_process import InProcess
from nas.search.bench.scores import Curve, FrontScore, RegretScore
from nas.search.bench.table import Table, read_table
from nas.search.bench.table_domain import TableDomain
from nas.search.driver import Driver
from nas.search.objectives import Objectives
from nas.search.problem import DEFAULT_CONTROL, Problem, Proxy
from nas.search.search import Search
from nas.search.stopping import Limits

QUANTILES = (0.3, 0.5, 0.7)
"""Of a table's costs: the limits of the searches for the most accurate network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One search to be done.

    Attributes:
        table: description of the table.
        folder: where its rows are, if not beside it.
        sampler: name of the sampler.
        label: what reports call it.
        seed: of sampler and of the accuracies that are seen.
        trials: trainings.
        workers: results that a proposal may have to do without, plus one.
        control: share of random trials.
        quantile: of the table's costs, for a search within it for the most accurate network; None for a front.
    """

    table: Path
    folder: Path | None
    sampler: str
    label: str
    seed: int
    trials: int
    workers: int = 1
    control: float = DEFAULT_CONTROL
    quantile: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a search came to.

    Attributes:
        task: the search.
        table: name of its table.
        curve: its score after each training.
        asking_seconds: of choosing candidates, for all of them.
        seconds: of the whole search.
        rejected: asks over the limit.
    """

    task: Task
    table: str
    curve: Curve = field(repr=False)
    asking_seconds: float
    seconds: float
    rejected: int


def search_table(task: Task) -> Outcome:
    """Do one search; the same task gives the same curve."""
    table = _table(task.table, task.folder)
    limit = np.inf if task.quantile is None else float(np.quantile(table.costs[table.cost], task.quantile))
    domain = TableDomain(table, limit=limit)
    problem = Problem(
        domain=domain,
        objectives=Objectives((table.cost,) if task.quantile is None else ()),
        proxy=Proxy(recipe={}, recipe_id="table", data=table.name, fingerprint=table.fingerprint, seed=task.seed),
        sampler=task.sampler,
        seed=task.seed,
        control=task.control,
    )
    trials = min(task.trials, len(domain.feasible))
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(f"sqlite:///{folder}/bench.db") as ledger,
        InProcess(TableAnswers(table, seed=task.seed), workers=task.workers) as executor,
    ):
        ledger.create_study(StudyRecord(name=table.name, kind=StudyKind.SEARCH, definition={}, created=""))
        search = Search(table.name, problem, ledger=ledger, limits=Limits(trials=trials))
        progress = Driver(search, executor=executor).run("bench:0")
        done = ledger.trials(table.name, {TrialState.DONE})
    trained = [table.row_of[domain.feasible.encode(one.choices).tobytes()] for one in done]
    return Outcome(
        task=task,
        table=table.name,
        curve=_score(table, domain, task).curve(trained),
        asking_seconds=progress.asking_seconds,
        seconds=progress.seconds,
        rejected=progress.rejected,
    )


def tasks_of(
    tables: Sequence[Path],
    contestants: Sequence[Contestant],
    *,
    folder: Path | None,
    seeds: int,
    control: float,
    quantiles: Sequence[float | None],
) -> list[Task]:
    """Every search of a benchmark, seed by seed, so that a part of it is a smaller benchmark."""
    return [
        Task(
            table=table,
            folder=folder,
            sampler=one.sampler,
            label=one.label,
            seed=seed,
            trials=one.trials,
            workers=one.workers,
            control=control,
            quantile=quantile,
        )
        for seed in range(seeds)
        for table in tables
        for one in contestants
        for quantile in quantiles
    ]


class TableAnswers:
    """The work of a worker that knows a table: each network shows one of its accuracies, the same one every time."""

    def __init__(self, table: Table, *, seed: int) -> None:
        """Which accuracy each network shows is drawn from `seed`."""
        self._shown = seen_by(table, seed=seed)

    def __call__(self, job: Job, *, report: Report | Callable[[float], None]) -> Evaluation:
        """Answer a job at once."""
        return Evaluation(key=job.key, accuracy=float(self._shown[job.architecture["row"]]))


def seen_by(table: Table, *, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The accuracy (n,) that each network shows to the search of a seed."""
    columns = np.random.default_rng(seed).integers(table.seen.shape[1], size=len(table))
    return np.asarray(table.seen[np.arange(len(table)), columns])


def _score(table: Table, domain: TableDomain, task: Task) -> FrontScore | RegretScore:
    if task.quantile is None:
        return FrontScore.of(table)
    allowed = table.costs[table.cost] <= domain.limit
    return RegretScore(
        accuracies=table.true, seen=seen_by(table, seed=task.seed), best=float(table.true[allowed].max())
    )


@lru_cache(maxsize=4)
def _table(path: Path, folder: Path | None) -> Table:
    """Read once in each process."""
    return read_table(path, folder)
