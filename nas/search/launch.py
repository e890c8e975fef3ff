"""From what a user said to a search that runs: a new study, or an old one taken up again."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nas import plugins
from nas.analysis.proxy_health import Yardstick
from nas.cost import Budget
from nas.data import Description, describe
from nas.data.cores import available_cores
from nas.errors import StudyError, UserError
from nas.evaluate.function import Code, Evaluate, EvaluateFunction, find_function
from nas.evaluate.own import OwnTraining, evaluate_by_function
from nas.executors.base import Work
from nas.executors.image_transfer import Decoded
from nas.executors.settings import LOCAL, ExecutorSettings
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.search.artifacts import weights_folder
from nas.search.curves import CurveLog
from nas.search.definition import DEFAULT_DATA, StudyDefinition, require_name
from nas.search.driver import Driver, Listen, Watch, this_process
from nas.search.gauge import Gauge, gauging, require_profiles
from nas.search.guiding import guided
from nas.search.images import images_of
from nas.search.objectives import Objectives
from nas.search.optuna.mirror import Mirror
from nas.search.problem import DEFAULT_CONTROL
from nas.search.pulse import Progress
from nas.search.samplers import samplers
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.search.tracking import RunLog
from nas.search.workers import proxy_work, workers_of
from nas.space import SearchSpace, Value
from nas.space.feasible import FeasibleSet
from nas.task import Task
from nas.train.checkpoint import prune_checkpoints
from nas.train.default_recipe import ChosenBy
from nas.train.recipe import Recipe
from nas.train.trackers import Tracker

_DRAWN = 99  # networks whose size chooses the default recipe


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study that is about to run.

    Attributes:
        name: of the study.
        definition: what it searches.
        limits: when it ends.
        is_new: whether the ledger does not know it yet.
        code: of the function that trains in place of the proxy, where one does.
        takes_up: whether a study that the ledger knows is trained by that function from now on.
    """

    name: str
    definition: StudyDefinition
    limits: Limits
    is_new: bool
    code: Code | None = None
    takes_up: bool = False

    def work(self, device: str) -> Work:
        """What workers do with a candidate."""
        own = self.definition.evaluate
        if own is None or self.code is None:
            _require_one_resolution(self.definition.space, "trains every candidate at the recipe's resolution")
            return proxy_work(device)
        return partial(evaluate_by_function, function=own.function, code=self.code, device=device)

    @property
    def images(self) -> tuple[Decoded, ...]:
        """The decoded images that its trainings read; none where they bring their own."""
        definition = self.definition
        return images_of(definition.fingerprint, definition.recipe) if definition.evaluate is None else ()


def define(
    space: SearchSpace,
    budget: Budget,
    *,
    task: Task,
    data: str,
    recipe: Recipe | None,
    sampler: str,
    seed: int,
    objectives: Objectives | None = None,
    control: float = DEFAULT_CONTROL,
    start: Sequence[Mapping[str, Value]] = (),
    evaluate: OwnTraining | None = None,
    changes: Mapping[str, Any] | None = None,
    measures_here: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> StudyDefinition:
    """Check everything that can be checked before anything is paid for, and put it together.

    Where there is no `recipe`, one is chosen by the networks within budget and the images (`chosen_by`), and some of
    its fields changed to `changes`. Whether latencies can be measured is seen only if that is to happen here
    (`measures_here`).

    Raises:
        UnknownNameError: no such sampler, data set or profile.
        RuntimeMissingError: a latency cannot be measured here.
        DataError: the data cannot be used.
        BudgetError: nothing in the space can meet the budget.
    """
    samplers[sampler]
    latencies = [*(one.metric for one in budget.bounds), *(objectives or Objectives()).costs]
    profiles = require_profiles(latencies, here=measures_here)
    if profiles:
        _require_one_resolution(space, "measures every latency at one resolution")
    within = space.within(budget.closed, task=task)
    by, yardstick, reference, fingerprint = None, None, "", ""
    if evaluate is None:
        found = describe(data, progress=progress)
        if recipe is None:
            by = chosen_by(within, found)
            recipe = by.recipe().changed(**(changes or {}))
        _require_fits(space, found, recipe)
        yardstick, reference, fingerprint = yardstick_on(found), found.reference, found.fingerprint
    return StudyDefinition(
        space=space,
        budget=budget,
        task=task,
        data=reference,
        fingerprint=fingerprint,
        recipe=recipe or Recipe(),
        sampler=sampler,
        seed=seed,
        objectives=objectives or Objectives(),
        control=control,
        start=tuple(start),
        plugins=tuple(plugin.label for plugin in plugins.given()),
        profiles=profiles,
        evaluate=evaluate,
        chosen_by=by,
        yardstick=yardstick,
    )


def chosen_by(within: FeasibleSet, data: Description) -> ChosenBy:
    """What the default recipe is chosen by: the middle one of some networks within budget, and the images."""
    drawn = within.costs(within.random(_DRAWN, np.random.default_rng(0)))
    middle = int(np.median(drawn["train_params"]))
    return ChosenBy(params=middle, images=data.train, classes=len(data.classes))


def yardstick_on(data: Description) -> Yardstick:
    """What accuracies on this data are measured on."""
    return Yardstick(images=data.validation, chance=data.chance)


def _require_one_resolution(space: SearchSpace, why: str) -> None:
    """Refuse a space that decides on the resolution where that would change nothing but the price."""
    if space.searches_resolution:
        raise UserError(
            f"{space.name} searches the resolution of its networks, but a search {why}; judge its candidates by your "
            "own function (evaluate), or by study.ask() and study.tell()"
        )


def _require_fits(space: SearchSpace, data: Description, recipe: Recipe) -> None:
    """The proxy's images must survive the strides of the space's networks."""
    from nas.architecture import estimate
    from nas.space.askers import following

    try:
        estimate(space.fitting(following({}))[0], data.task(recipe.resolution))
    except UserError as error:
        raise UserError(f"the proxy trains at {recipe.resolution}x{recipe.resolution}: {error}") from None


def new_plan(
    definition: StudyDefinition, *, name: str | None, limits: Limits, taken: Collection[str], code: Code | None = None
) -> Plan:
    """A plan for a new study; without a name it gets one from space and budget.

    Args:
        definition: what it searches.
        name: of the study, or None.
        limits: when it ends.
        code: of the function that trains, where one does.
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
    return Plan(name=name, definition=definition, limits=limits, is_new=True, code=code)


def resumed_plan(
    ledger: Ledger,
    name: str | None,
    *,
    limits: Limits,
    given: Mapping[str, Any],
    data: str | None = None,
    evaluate: Evaluate | None = None,
    folders: Sequence[Path] = (),
) -> Plan:
    """A plan that continues a study.

    Args:
        ledger: where it is.
        name: of the study; None for the latest.
        limits: when it ends; where none is given those it was begun with hold.
        given: what the command line says about the definition, by its words; it must agree with the study.
        data: where the data set is now, or None for where it was.
        evaluate: what is to train in place of the proxy; a study that has no evaluation yet takes it up from now on,
            and one that began with it goes on with it by itself.
        folders: where that is looked for before the working directory.

    Raises:
        StudyError: no such study, the command line contradicts it, or its accuracies are of another origin.
        DataError: the data set is another one.
        UserError: what trains cannot be found or imported.
    """
    name = name or ledger.latest_study(StudyKind.SEARCH)
    stored = ledger.study(name, StudyKind.SEARCH).definition
    if data is not None and stored.get("evaluate") is not None:
        raise StudyError(f"study {name!r} trains by its own function, which brings its own data; leave --data out")
    if data is not None:
        describe(data, expected=stored["fingerprint"])
    differs = [word for word, value in given.items() if stored.get(word) != value]
    if differs:
        shown = ", ".join(f"{word} {stored.get(word)!r}, not {given[word]!r}" for word in differs)
        raise StudyError(f"study {name!r} was begun with {shown}; leave that out to resume it, or begin a new study")
    definition = StudyDefinition.from_dict(stored)
    definition = definition if data is None else replace(definition, data=data)
    takes_up, code = evaluate is not None and definition.evaluate is None, None
    if evaluate is not None or definition.evaluate is not None:
        definition, code = _with_function(name, definition, evaluate, folders)
    definition.problem().proxy.require_alike(name, ledger.recipe_of(name))
    return Plan(
        name=name,
        definition=definition,
        limits=limits if limits.is_given else Limits.from_dict(stored),
        is_new=False,
        code=code,
        takes_up=takes_up,
    )


def _with_function(
    name: str, definition: StudyDefinition, evaluate: Evaluate | None, folders: Sequence[Path]
) -> tuple[StudyDefinition, Code]:
    """A study that is trained by a function: the one it began with, or one that it takes up now."""
    own = definition.evaluate
    found = find_function(evaluate or (own.function.reference if own is not None else ""), folders)
    if own is None:
        return _taking_up(name, definition, found.function), found.code
    if own.function.identity != found.function.identity:
        raise StudyError(
            f"study {name!r} is trained by {own.function}, and this is {found.function}; results of different "
            "trainings do not mix: bring back the former, or begin another study"
        )
    return definition, found.code


def _taking_up(name: str, definition: StudyDefinition, function: EvaluateFunction) -> StudyDefinition:
    """A study that was begun for the proxy, with a function instead; what was said for the proxy alone is refused."""
    recipe = _said_of_recipe(definition)
    schedule = own_schedule(recipe)
    if schedule is None or definition.data != DEFAULT_DATA:
        raise StudyError(
            f"study {name!r} was begun with a data set or a recipe, which {function.name} would take no notice of; "
            "begin one without them, and give the function what it needs as arguments"
        )
    epochs, rungs = schedule
    own = OwnTraining(function=function, epochs=epochs, rungs=rungs)
    return replace(definition, data="", fingerprint="", recipe=recipe, evaluate=own, chosen_by=None, yardstick=None)


def _said_of_recipe(definition: StudyDefinition) -> Recipe:
    """The recipe as far as somebody named it: what was chosen by the networks and the images is not in it."""
    if definition.chosen_by is None:
        return definition.recipe
    chosen = definition.chosen_by.recipe().model_dump(mode="json")
    said = definition.recipe.model_dump(mode="json")
    return Recipe().changed(**{name: value for name, value in said.items() if value != chosen[name]})


def own_schedule(recipe: Recipe) -> tuple[int | None, tuple[int, ...]] | None:
    """Epochs and rungs, for a training of somebody's own, of a recipe that says nothing else; None if it says more."""
    is_more = bool(recipe.model_fields_set - {"epochs", "rungs"})
    if is_more or any(rung.resolution is not None or rung.data_share is not None for rung in recipe.rungs):
        return None
    epochs = recipe.epochs if "epochs" in recipe.model_fields_set else None
    return epochs, tuple(rung.epochs for rung in recipe.rungs)


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
    trackers: Sequence[Tracker] = (),
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
        trackers: other people's, to write a run for each candidate.

    Raises:
        UserError, NasError: there are no workers to be had.
        ...: what `Driver.run` and `Search` raise.
    """
    definition = plan.definition
    if definition.evaluate is not None and "://" in checkpoints:
        raise UserError(
            f"--checkpoints {checkpoints}: an evaluate function is given a folder; name one that all machines share"
        )
    weights = weights_folder(storage, plan.name)
    weights.make()
    with (
        gauging(definition.profiles, definition.task, ledger, settings) as gauge,
        workers_of(settings, plan.work(settings.device), jobs=plan.limits.trials, images=plan.images, say=say) as pool,
        CurveLog(weights.folder, notify=ledger.notify) as curves,
    ):
        definition = _entered(plan, gauge, ledger)
        problem = definition.problem(checkpoints, gauge)
        search = Search(
            plan.name,
            problem,
            ledger=ledger,
            limits=plan.limits,
            weights=weights,
            gauge=gauge,
            logs=[curves, *(RunLog(plan.name, one, notify=ledger.notify) for one in trackers)],
            mirror=Mirror(
                storage,
                plan.name,
                problem.domain.dimensions,
                problem.objectives,
                ledger=ledger,
                about=definition.to_dict(),
                notify=ledger.notify,
            ),
        )
        driver = Driver(
            search,
            executor=pool,
            asks_ahead=gauge is not None and gauge.is_apart,
            watch=watch,
            listen=listen,
        )
        progress = driver.run(this_process())
    prune_checkpoints(checkpoints, set())  # who goes on in a longer run trains from the start again, bit for bit
    return progress


def _entered(plan: Plan, gauge: Gauge | None, ledger: Ledger) -> StudyDefinition:
    """What the study is from now on, as the ledger has it, too."""
    if plan.is_new:
        return begun(plan, gauge, ledger)
    if plan.takes_up:
        stored = ledger.study(plan.name).definition
        ledger.redefine_study(plan.name, {**stored, **plan.definition.to_dict()})
    return plan.definition


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
