"""From what a user said to a search that runs: a new study, or an old one taken up again."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from nas import plugins
from nas.cost import Budget
from nas.data import Description, describe
from nas.data.cores import available_cores
from nas.errors import StudyError, UserError
from nas.executors.settings import LOCAL, ExecutorSettings
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.search.artifacts import weights_folder
from nas.search.definition import StudyDefinition, require_name
from nas.search.driver import Driver, Listen, Watch, this_process
from nas.search.gauge import Gauge, gauging, require_profiles
from nas.search.guiding import guided
from nas.search.objectives import Objectives
from nas.search.optuna.mirror import Mirror
from nas.search.problem import DEFAULT_CONTROL
from nas.search.pulse import Progress
from nas.search.samplers import samplers
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.search.workers import images_of, workers_of
from nas.space import SearchSpace, Value
from nas.space.extremes import require_reachable
from nas.task import Task
from nas.train.checkpoint import prune_checkpoints
from nas.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study that is about to run.

    Attributes:
        name: of the study.
        definition: what it searches.
        limits: when it ends.
        is_new: whether the ledger does not know it yet.
    """

    name: str
    definition: StudyDefinition
    limits: Limits
    is_new: bool


def define(
    space: SearchSpace,
    budget: Budget,
    *,
    task: Task,
    data: str,
    recipe: Recipe,
    sampler: str,
    seed: int,
    objectives: Objectives | None = None,
    control: float = DEFAULT_CONTROL,
    start: Sequence[Mapping[str, Value]] = (),
    progress: Callable[[int, int], None] | None = None,
) -> StudyDefinition:
    """Check everything that can be checked before anything is paid for, and put it together.

    Raises:
        UnknownNameError: no such sampler, data set or profile.
        RuntimeMissingError: a latency cannot be measured here.
        DataError: the data cannot be used.
        BudgetError: nothing in the space can meet the budget.
    """
    samplers[sampler]
    profiles = require_profiles([*(one.metric for one in budget.bounds), *(objectives or Objectives()).costs])
    require_reachable(space.root, budget.closed, task)
    found = describe(data, progress=progress)
    _require_fits(space, found, recipe)
    return StudyDefinition(
        space=space,
        budget=budget,
        task=task,
        data=found.reference,
        fingerprint=found.fingerprint,
        recipe=recipe,
        sampler=sampler,
        seed=seed,
        objectives=objectives or Objectives(),
        control=control,
        start=tuple(start),
        plugins=tuple(plugin.label for plugin in plugins.given()),
        profiles=profiles,
    )


def _require_fits(space: SearchSpace, data: Description, recipe: Recipe) -> None:
    """The proxy's images must survive the strides of the space's networks."""
    from nas.architecture import estimate
    from nas.space.askers import following

    try:
        estimate(space.build(following({})), data.task(recipe.resolution))
    except UserError as error:
        raise UserError(f"the proxy trains at {recipe.resolution}x{recipe.resolution}: {error}") from None


def new_plan(definition: StudyDefinition, *, name: str | None, limits: Limits, taken: Collection[str]) -> Plan:
    """A plan for a new study; without a name it gets one from space and budget.

    Args:
        definition: what it searches.
        name: of the study, or None.
        limits: when it ends.
        taken: names of the studies in the ledger.

    Raises:
        StudyError: the name is taken.
        UserError: the name cannot be a folder's.
    """
    if name is None:
        budget = "-".join(map(str, definition.budget.bounds)) or "unbounded"
        base = re.sub(r"[^A-Za-z0-9._-]", "-", f"{definition.space.name}-{budget}")
        name = next(one for one in _numbered(base) if one not in taken)
    else:
        require_name(name)
        if name in taken:
            raise StudyError(
                f"there is a study {name!r} already; continue it with --resume, or choose another --study name"
            )
    return Plan(name=name, definition=definition, limits=limits, is_new=True)


def resumed_plan(
    ledger: Ledger, name: str | None, *, limits: Limits, given: Mapping[str, Any], data: str | None = None
) -> Plan:
    """A plan that continues a study.

    Args:
        ledger: where it is.
        name: of the study; None for the latest.
        limits: when it ends; where none is given those it was begun with hold.
        given: what the command line says about the definition, by its words; it must agree with the study.
        data: where the data set is now, or None for where it was.

    Raises:
        StudyError: no such study, or the command line contradicts it.
    """
    name = name or ledger.latest_study(StudyKind.SEARCH)
    stored = ledger.study(name, StudyKind.SEARCH).definition
    differs = [word for word, value in given.items() if stored.get(word) != value]
    if differs:
        shown = ", ".join(f"{word} {stored.get(word)!r}, not {given[word]!r}" for word in differs)
        raise StudyError(f"study {name!r} was begun with {shown}; leave that out to resume it, or begin a new study")
    definition = StudyDefinition.from_dict(stored)
    moved = definition if data is None else replace(definition, data=data)
    return Plan(
        name=name, definition=moved, limits=limits if limits.is_given else Limits.from_dict(stored), is_new=False
    )


def run_plan(
    plan: Plan,
    ledger: Ledger,
    *,
    storage: str,
    settings: ExecutorSettings,
    watch: Watch,
    say: Callable[[str], None],
    checkpoints: str,
    listen: Listen = lambda pulse: None,
) -> Progress:
    """Run a plan to its end.

    Args:
        plan: what to run; its images are decoded.
        ledger: where everything is kept.
        storage: address of the ledger.
        settings: who trains.
        watch: told the progress several times a second.
        say: told, at the end, what people should know of the executor.
        checkpoints: folder or URL, of this study alone, for trainings put aside between rungs.
        listen: told the pulse that goes into the ledger.

    Raises:
        UserError, NasError: there are no workers to be had.
        ...: what `Driver.run` and `Search` raise.
    """
    definition = plan.definition
    weights = weights_folder(storage, plan.name)
    weights.make()
    images = images_of(definition.fingerprint, definition.recipe)
    with (
        gauging(definition.profiles, definition.task, ledger, settings) as gauge,
        workers_of(settings, jobs=plan.limits.trials, images=images, say=say) as pool,
    ):
        if plan.is_new:
            definition = begun(plan, gauge, ledger)
        problem = definition.problem(checkpoints, gauge)
        search = Search(
            plan.name,
            problem,
            ledger=ledger,
            limits=plan.limits,
            weights=weights,
            gauge=gauge,
            mirror=Mirror(storage, plan.name, problem.domain.dimensions, problem.objectives, notify=ledger.notify),
        )
        progress = Driver(search, executor=pool, watch=watch, listen=listen).run(this_process())
    prune_checkpoints(checkpoints, set())  # who goes on in a longer run trains from the start again, bit for bit
    return progress


def resolve_device(name: str) -> str:
    """'auto' is the accelerator if there is one.

    Raises:
        UserError: an unknown device, or one that is not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise UserError(f"unknown device {name!r}; known: auto, cpu, cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no CUDA device here; leave it out to train on the CPU")
    return name


def default_workers(device: str) -> int:
    """Trainings at a time unless the user says how many: one a core on `cpu`; one on `cuda`, as all share one GPU."""
    return available_cores() if device == "cpu" else 1


def leaving_a_core(settings: ExecutorSettings, definition: StudyDefinition) -> ExecutorSettings:
    """Workers by default where latencies are measured: on this machine one core is left to that, if there are two."""
    if not definition.profiles or settings.kind != LOCAL or settings.device != "cpu":
        return settings
    return replace(settings, workers=max(1, (settings.workers or 1) - 1))


def begin(plan: Plan, ledger: Ledger, settings: ExecutorSettings) -> None:
    """Write a new study down, to be run later.

    Raises:
        StudyError: the name is taken.
        UserError: too few networks were measured for the latencies it trades against.
    """
    with gauging(plan.definition.profiles, plan.definition.task, ledger, settings) as gauge:
        begun(plan, gauge, ledger)


def begun(plan: Plan, gauge: Gauge | None, ledger: Ledger) -> StudyDefinition:
    """Write a new study down, with what its samplers guess latencies by."""
    definition = guided(plan.definition, gauge, ledger)
    ledger.create_study(_record(replace(plan, definition=definition)))
    return definition


def _record(plan: Plan) -> StudyRecord:
    return StudyRecord(
        name=plan.name,
        kind=StudyKind.SEARCH,
        definition={**plan.definition.to_dict(), **plan.limits.to_dict()},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _numbered(base: str) -> Any:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def study_path(name: str) -> Path | None:
    """The study file that `--study NAME` means, or None where it is a study's name."""
    return Path(name) if name.endswith((".yaml", ".yml")) else None
