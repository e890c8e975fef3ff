"""What a study is: everything that decides which candidates it asks for and what their accuracies will be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nas import plugins
from nas.analysis.proxy_health import Yardstick, yardstick_of
from nas.command_line import command_line
from nas.cost import METRICS, Budget
from nas.errors import StudyError, UserError
from nas.evaluate.own import OwnTraining
from nas.ledger import Ledger
from nas.ledger.failures import understood
from nas.measure.profile import NamedProfile, Profile
from nas.records import StudyKind
from nas.schema.models import read_model
from nas.schema.nodes import parse_yaml, read_yaml
from nas.search.gauge import Gauge
from nas.search.guide import Guide, PowerGuess
from nas.search.halving import DEFAULT_REDUCTION
from nas.search.objectives import Objectives
from nas.search.problem import DEFAULT_CONTROL, Problem, Proxy
from nas.search.space_domain import SpaceDomain
from nas.search.stopping import Limits
from nas.space import SearchSpace, Value, load_space
from nas.space.load import read_space
from nas.task import Task
from nas.train.default_recipe import ChosenBy
from nas.train.recipe import Recipe, RecipePlace
from nas.units import parse_seconds

DEFAULT_DATA = "digits"
DEFAULT_SAMPLER = "surrogate"
DEFAULT_TRIALS = 16
STUDY_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


@dataclass(frozen=True, kw_only=True)
class StudyDefinition:
    """Everything that identifies a study; two runs that agree in it may continue each other.

    Attributes:
        space: where candidates come from.
        budget: the bounds they must meet.
        task: what they are priced for.
        data: reference of the data set the proxies train on.
        fingerprint: of that data set and its split.
        recipe: how the proxies train.
        sampler: name of the sampler.
        seed: of sampler and trainings.
        objectives: what makes one candidate better than another.
        control: share of the trials that are drawn at random whatever the sampler.
        start: choices of the first trials.
        reduction: factor between the candidates of one rung and those of the next.
        plugins: what was loaded for it, as `NAME==VERSION`.
        profiles: how the latencies among bounds and objectives are measured, by metric.
        guided_by: costs and milliseconds of measured networks that samplers guess latencies by, by metric.
        evaluate: somebody's own training, in place of the proxy's; there is no data then, and the recipe has epochs and
            rungs alone.
        chosen_by: what the recipe was chosen by; None where somebody named it.
        yardstick: what accuracies are measured on; None where nobody knows.
    """

    space: SearchSpace
    budget: Budget
    task: Task
    data: str
    fingerprint: str
    recipe: Recipe
    sampler: str = DEFAULT_SAMPLER
    seed: int = 0
    objectives: Objectives = Objectives()
    control: float = DEFAULT_CONTROL
    start: tuple[Mapping[str, Value], ...] = ()
    reduction: int = DEFAULT_REDUCTION
    plugins: tuple[str, ...] = ()
    profiles: Mapping[str, NamedProfile] = field(default_factory=dict)
    guided_by: Mapping[str, Sequence[Guide]] = field(default_factory=dict)
    evaluate: OwnTraining | None = None
    chosen_by: ChosenBy | None = None
    yardstick: Yardstick | None = None

    def problem(self, checkpoints: str | None = None, gauge: Gauge | None = None) -> Problem:
        """What the engine needs to know of it.

        Args:
            checkpoints: folder or URL where trainings are put aside between rungs, or None.
            gauge: who measures latencies, where there are any among bounds and objectives.
        """
        guesses = {metric: PowerGuess(guides) for metric, guides in self.guided_by.items()}
        return Problem(
            domain=SpaceDomain(self.space, self.budget, self.task, gauge=gauge, guesses=guesses),
            objectives=self.objectives,
            proxy=self._proxy(checkpoints),
            sampler=self.sampler,
            seed=self.seed,
            control=self.control,
            start=self.start,
        )

    def _proxy(self, checkpoints: str | None) -> Proxy:
        own = self.evaluate
        return Proxy(
            recipe=self.recipe.to_dict() if own is None else own.recipe(self.task),
            recipe_id=self.recipe.id if own is None else own.id(self.task),
            data=self.data,
            fingerprint=self.fingerprint,
            seed=self.seed,
            rungs=len(self.recipe.fidelities if own is None else own.stops),
            reduction=self.reduction,
            checkpoints=checkpoints,
            yardstick=self.yardstick,
        )

    def require_recipe(self, study: str, purpose: str) -> None:
        """Refuse a study whose networks are not trained by a recipe of ours.

        Args:
            study: its name.
            purpose: what has to be said, or cannot be done.

        Raises:
            StudyError: they are trained by somebody's own function.
        """
        if self.evaluate is not None:
            raise StudyError(f"study {study!r} trains by its own function, {self.evaluate.function.name}: {purpose}")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the ledger; the space travels as the text of its file."""
        return {
            "space": {"name": self.space.name, "text": self.space.text},
            "budget": [str(bound) for bound in self.budget.bounds],
            "task": {
                "resolution": self.task.resolution,
                "classes": self.task.classes,
                "channels": self.task.channels,
            },
            "data": self.data,
            "fingerprint": self.fingerprint,
            "recipe": self.recipe.to_dict(),
            "sampler": self.sampler,
            "seed": self.seed,
            "objectives": str(self.objectives),
            "control": self.control,
            "start": [dict(choices) for choices in self.start],
            "reduction": self.reduction,
            "plugins": list(self.plugins),
            **self._latencies(),
            **({} if self.evaluate is None else {"evaluate": self.evaluate.to_dict()}),
            **({} if self.chosen_by is None else {"chosen_by": self.chosen_by.to_dict()}),
            **({} if self.yardstick is None else {"yardstick": asdict(self.yardstick)}),
        }

    def _latencies(self) -> dict[str, Any]:
        """Nothing where nothing is measured: studies of before have no such words."""
        if not self.profiles:
            return {}
        profiles = {
            metric: {"name": named.name, "protocol": named.profile.canonical()}
            for metric, named in self.profiles.items()
        }
        return {
            "profiles": profiles,
            "guided_by": {metric: list(map(list, some)) for metric, some in self.guided_by.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`.

        Raises:
            UserError: a plug-in that it was begun with is not loaded.
            DamageError: it is no definition of ours.
        """
        with understood("the definition of a study"):
            return cls._read(data)

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        needed = tuple(data.get("plugins", ()))
        for label in needed:
            plugins.find(label)
        space = data["space"]
        return cls(
            space=read_space(*parse_yaml(space["text"], f"{space['name']}.yaml")),
            budget=Budget.parse(data["budget"]),
            task=Task(**data["task"]),
            data=data["data"],
            fingerprint=data["fingerprint"],
            recipe=Recipe.from_dict(data["recipe"]),
            sampler=data["sampler"],
            seed=data["seed"],
            objectives=Objectives.parse(data.get("objectives", str(Objectives())), known=METRICS),
            control=data.get("control", 0.0),
            start=tuple(data.get("start", ())),
            reduction=data.get("reduction", DEFAULT_REDUCTION),
            plugins=needed,
            profiles={
                metric: NamedProfile(name=one["name"], profile=Profile.model_validate(one["protocol"]))
                for metric, one in data.get("profiles", {}).items()
            },
            guided_by={metric: [Guide(*one) for one in some] for metric, some in data.get("guided_by", {}).items()},
            evaluate=None if data.get("evaluate") is None else OwnTraining.from_dict(data["evaluate"]),
            chosen_by=None if data.get("chosen_by") is None else ChosenBy.from_dict(data["chosen_by"]),
            yardstick=yardstick_of(data),
        )

    def differences(self, other: StudyDefinition) -> list[str]:
        """The words in which two definitions differ."""
        mine, theirs = self.to_dict(), other.to_dict()
        return [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]


def is_name(name: str) -> bool:
    """Whether it can name a study, and so a folder."""
    return re.fullmatch(STUDY_NAME, name) is not None


def require_name(name: str) -> None:
    """Refuse what cannot name a study, and so a folder; raises UserError."""
    if not is_name(name):
        raise UserError(f"{name!r} cannot name a study; use letters, digits, '.', '_' and '-'")


def searched_study(ledger: Ledger, name: str | None) -> tuple[str, StudyDefinition]:
    """A search by its name, or the latest one.

    Raises:
        StudyError: there is none, or it is a study of another kind.
    """
    name = name or ledger.latest_study(StudyKind.SEARCH)
    return name, StudyDefinition.from_dict(ledger.study(name, StudyKind.SEARCH).definition)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


PluginList = Annotated[list[str], BeforeValidator(_listed)]
"""The `plugins` of a study file."""


def _ledger_name(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("the name of a ledger is empty; leave it out for nas.db in the working directory")
    return value


LedgerName = Annotated[str, BeforeValidator(_ledger_name)]
"""The `storage` of a study file."""


class TaskFile(BaseModel):
    """The `task` of a study file; what is missing is taken from the space."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    resolution: int | None = Field(default=None, ge=1)
    classes: int | None = Field(default=None, ge=0)
    channels: int | None = Field(default=None, ge=1)

    def on(self, task: Task) -> Task:
        """A task with what is said here instead."""
        said = {name: value for name, value in self.model_dump().items() if value is not None}
        return replace(task, **said)


class StudyFile(BaseModel):
    """A study file: what `nas search` and `nas.Study.create` can be told, written down; the one list of its fields.

    Attributes:
        name: of the study; default from space and budget.
        about: a sentence for people.
        space: a space file (relative to this file) or a packaged space.
        budget: one or several.
        task: what to price for, instead of the space's own.
        data: reference of the data set.
        recipe: fields of the recipe, a recipe's name or a file relative to this file; without any, one is chosen by
            the networks and the images.
        objective: what to search for.
        sampler, seed, control: how to search; `control` is the share of random trials.
        start: architectures that come first, as commands take them (files relative to this file), and studies, whose
            fronts do.
        trials, time, train_time, patience: how long; without any of them a few trials.
        workers: how wide.
        plugins: files (relative to this file) or modules that register parts; reading the file runs their code.
        evaluate: somebody's own training, MODULE:FUNCTION or FILE.py:FUNCTION (looked for beside this file first), in
            place of the proxy: there is no data set then, and of the recipe only epochs and rungs.
        storage: the ledger: a SQLite file (relative to this file), or an address.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = None
    about: str = ""
    space: str
    budget: Annotated[list[str], BeforeValidator(_listed)] = []
    task: TaskFile = TaskFile()
    data: str = DEFAULT_DATA
    recipe: Recipe = Recipe()
    objective: str = str(Objectives())
    sampler: str = DEFAULT_SAMPLER
    seed: int = Field(default=0, ge=0)
    control: float = Field(default=DEFAULT_CONTROL, ge=0, le=1)
    start: Annotated[list[str], BeforeValidator(_listed)] = []
    trials: int | None = Field(default=None, ge=1)
    time: str | None = None
    train_time: str | None = None
    patience: int | None = Field(default=None, ge=1)
    workers: int | None = Field(default=None, ge=1)
    plugins: PluginList = []
    evaluate: str | None = None
    storage: LedgerName | None = None

    @property
    def limits(self) -> Limits:
        """When to end; raises UserError for what is no duration."""
        return Limits(
            trials=self.trials,
            seconds=None if self.time is None else parse_seconds(self.time),
            train_seconds=None if self.train_time is None else parse_seconds(self.train_time),
            patience=self.patience,
        )

    def load_space(self, folder: Path) -> SearchSpace:
        """The space, looked for beside the study file first."""
        beside = folder / self.space
        return load_space(beside if beside.is_file() else self.space)


def read_study_file(path: Path) -> StudyFile:
    """Read a study file.

    Raises:
        SchemaError: all its problems.
    """
    root, problems = read_yaml(path)
    if "architectures" in root.mapping:
        running = command_line("compare", arguments=[str(path)])
        raise UserError(f"{path}: this study compares given architectures; run it with: {running}")
    study = read_model(StudyFile, root, problems, RecipePlace(folder=path.parent))
    load_plugins(study.plugins, path)
    return study


def load_plugins(references: Sequence[str], study_file: Path) -> None:
    """Load what a study file names, files relative to it; raises UserError as `nas.plugins.load` does."""
    for reference in references:
        plugins.load(reference, study_file.parent)
