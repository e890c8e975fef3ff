"""One simulated search, and what it cost the driver."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from nas.ledger import Ledger
from nas.measure.memory import PeakMemory
from nas.records import StudyKind, StudyRecord
from nas.search.definition import StudyDefinition
from nas.search.driver import Driver, this_process
from nas.search.optuna.mirror import Mirror
from nas.search.problem import Problem
from nas.search.pulse import Progress
from nas.search.search import Search
from nas.search.simulation.executor import SimulatedExecutor
from nas.search.simulation.world import Odds, World
from nas.search.stopping import Limits

_DRAWS = 512  # candidates whose mean cost is a typical network's
_CREATED = "1970-01-01T00:00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """What a simulated training is like; see `World`.

    Attributes:
        seconds: mean of a whole training of a typical network.
        spread: standard deviation of the logarithm of a training's time, for networks of equal FLOPs.
        odds: of failures.
        seed: of the draws.
    """

    seconds: float = 600.0
    spread: float = 0.3
    odds: Odds = Odds()
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One search to be simulated.

    Attributes:
        definition: of the study, as its `to_dict` gives it.
        workers: at a time.
        trials: evaluated candidates to come to.
        together: trainings that have ended by each look of the driver.
        trainings: what they are like.
    """

    definition: Mapping[str, Any]
    workers: int
    trials: int
    together: int = 1
    trainings: Trainings = Trainings()

    @property
    def study(self) -> str:
        """The name of the study."""
        rungs = "-rungs" if self.definition["recipe"].get("rungs") else ""
        space, sampler = self.definition["space"]["name"], self.definition["sampler"]
        return f"simulated-{space}-{sampler}{rungs}-{self.trials}-by-{self.workers}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a search of a cell came to.

    Attributes:
        seconds: wall time of the search, once it is set up.
        sampler_seconds: processor time of the driver in the sampler.
        outside_seconds: elsewhere, the simulation's own taken off.
        jobs: that were submitted.
        virtual_seconds: until the last training ended.
        utilisation: share of the workers' virtual time that went into trainings, in [0, 1].
        mean_seconds: virtual time of a job.
        memory, memory_growth: peak of the process in the search, and by how much that is above what it began with.
        database: bytes by which the database grew.
        trained, failed, rejected, rungs: as in `Progress`.
        lost: workers.
        front: candidates on it.
    """

    seconds: float
    sampler_seconds: float
    outside_seconds: float
    jobs: int
    virtual_seconds: float
    utilisation: float
    mean_seconds: float
    memory: int
    memory_growth: int
    database: int
    trained: int
    failed: int
    rejected: int
    rungs: tuple[int, ...]
    lost: int
    front: int

    @property
    def driver_seconds(self) -> float:
        """Processor time of the driver."""
        return self.sampler_seconds + self.outside_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What it took a fresh process to take up a study at its end.

    Attributes:
        seconds, driver_seconds: wall and processor time of all that, the tables of the space included.
        memory_growth: bytes.
        trained, front: what it found.
    """

    seconds: float
    driver_seconds: float
    memory_growth: int
    trained: int
    front: int


def run_cell(cell: Cell, storage: str, watch: Callable[[int, int], None]) -> Ran:
    """Simulate a search, which is left in the ledger.

    Raises:
        StudyError: the ledger has this study already.
        BudgetError: there are not enough candidates within budget.
    """
    with Ledger.open(storage) as ledger:
        ledger.create_study(
            StudyRecord(
                name=cell.study,
                kind=StudyKind.SEARCH,
                definition={**cell.definition, "trials": cell.trials},
                created=_CREATED,
            )
        )
        before = ledger.bytes()
        turn = _turn(cell, storage, ledger, watch)
        database = ledger.bytes() - before
    progress, executor = turn.progress, turn.executor
    return Ran(
        seconds=turn.seconds,
        sampler_seconds=turn.sampler_seconds,
        outside_seconds=turn.driver_seconds - turn.sampler_seconds,
        jobs=executor.submitted,
        virtual_seconds=executor.now,
        utilisation=executor.busy / (executor.now * cell.workers or 1.0),
        mean_seconds=executor.busy / max(executor.submitted, 1),
        memory=turn.memory,
        memory_growth=turn.memory_growth,
        database=database,
        trained=progress.trained,
        failed=progress.failed,
        rejected=progress.rejected,
        rungs=progress.rungs,
        lost=progress.lost,
        front=turn.front,
    )


def resume_cell(cell: Cell, storage: str) -> Resumed:
    """Take up a study that is at its end, which leaves nothing to do but to restore it.

    Raises:
        StudyError: there is no such study.
    """
    begun, processor_begun = time.monotonic(), time.process_time()
    with Ledger.open(storage) as ledger:
        turn = _turn(cell, storage, ledger, lambda done, total: None)
    return Resumed(
        seconds=time.monotonic() - begun,
        driver_seconds=time.process_time() - processor_begun,
        memory_growth=turn.memory_growth,
        trained=turn.progress.trained,
        front=turn.front,
    )


class _Turn(NamedTuple):
    """A run of a study in this process."""

    progress: Progress
    executor: SimulatedExecutor
    front: int
    seconds: float
    driver_seconds: float
    sampler_seconds: float
    memory: int
    memory_growth: int


def _turn(cell: Cell, storage: str, ledger: Ledger, watch: Callable[[int, int], None]) -> _Turn:
    # What another search of the same ledger has trained must be trained again.
    definition = replace(StudyDefinition.from_dict(cell.definition), fingerprint=cell.study)
    problem = definition.problem()
    with SimulatedExecutor(
        _world(definition, problem, cell.trainings).outcome, workers=cell.workers, together=cell.together
    ) as executor:
        search = Search(
            cell.study,
            problem,
            ledger=ledger,
            limits=Limits(trials=cell.trials),
            mirror=Mirror(storage, cell.study, problem.domain.dimensions, problem.objectives, ledger=ledger),
        )
        driver = Driver(search, executor=executor, watch=lambda progress: watch(progress.done, cell.trials))
        meter = PeakMemory(torch.device("cpu"))
        memory_before, begun, processor_begun = meter.bytes(), time.monotonic(), time.process_time()
        progress = driver.run(this_process())
        seconds, processor = time.monotonic() - begun, time.process_time() - processor_begun
        return _Turn(
            progress=progress,
            executor=executor,
            front=search.front,
            seconds=seconds,
            driver_seconds=processor - executor.spent,
            sampler_seconds=processor * progress.asking_seconds / (seconds or 1.0),
            memory=meter.bytes(),
            memory_growth=meter.bytes() - memory_before,
        )


def _world(definition: StudyDefinition, problem: Problem, trainings: Trainings) -> World:
    """The world of a cell; a typical network costs what candidates within budget cost on average."""
    feasible = problem.domain.feasible
    drawn = feasible.costs(feasible.random(_DRAWS, np.random.default_rng(trainings.seed)))
    return World(
        task=definition.task,
        typical={name: float(np.mean(values)) for name, values in drawn.items()},
        fidelities=definition.recipe.fidelities,
        seconds=trainings.seconds,
        spread=trainings.spread,
        odds=trainings.odds,
        seed=trainings.seed,
    )
