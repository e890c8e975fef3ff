"""From what a user says, in a study file, on a command line or in Python, to a study that can begin or go on.

The fields of a study file are the keyword arguments of `nas.Study.create` and, as far as one line can say them, the
options of `nas search`; what is said there takes the place of what the file says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nas import plugins
from nas.cost import METRICS, Budget
from nas.data import describe
from nas.errors import LedgerError, StudyError, UserError
from nas.evaluate.function import Evaluate, Found, find_function
from nas.evaluate.own import OwnTraining
from nas.ledger import Ledger
from nas.ledger.address import storage_beside
from nas.registry import did_you_mean
from nas.schema.packaged import STUDIES, packaged, space_names
from nas.search.definition import DEFAULT_TRIALS, StudyDefinition, StudyFile, read_study_file
from nas.search.launch import Plan, define, new_plan, own_schedule, resumed_plan
from nas.search.objectives import Objectives
from nas.search.stopping import Limits
from nas.search.warm_start import WarmStart
from nas.space import SearchSpace, Value, load_space
from nas.train.recipe import Recipe, load_recipe

_SHORT = {"resolution": "task", "classes": "task", "epochs": "recipe", "data_share": "recipe", "rungs": "recipe"}
"""Words for a part of a field, and the field."""

_LIMITS = ("trials", "time", "train_time", "patience")
_FIXED = ("task", "recipe", "start", *_SHORT)  # that have no word of their own in a resumed study


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A study as somebody asks for it.

    Attributes:
        path: of the study file; None where there is none.
        given: what is said beside or instead of it, by field of a study file, and by the short words for parts of
            `task` and `recipe`; None is what is not said.
        space: the space itself, where it is at hand and not the name of one.
        function: what trains in place of the proxy, likewise.
        measures_here: whether it is this machine that is to measure latencies.
    """

    path: Path | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    space: SearchSpace | None = None
    function: Evaluate | None = None
    measures_here: bool = True

    @property
    def said(self) -> dict[str, Any]:
        """What is given, without what is not."""
        return {name: value for name, value in self.given.items() if value is not None}

    def written(self) -> StudyFile:
        """The study file with what is said instead.

        Raises:
            UserError: there is no space, or a value breaks its rule.
            SchemaError: all problems of the file.
        """
        if self._file is None:
            written = _checked(_merged({}, self.said))
            for reference in written.plugins:
                plugins.load(reference)
            return written
        return _checked(_merged({name: getattr(self._file, name) for name in self._file.model_fields_set}, self.said))

    @cached_property
    def _file(self) -> StudyFile | None:
        """The study file as it is."""
        if self.path is None:
            return None
        travelling = packaged(STUDIES) / self.path.name
        return read_study_file(travelling if not self.path.exists() and travelling.is_file() else self.path)

    @property
    def storage(self) -> str | None:
        """The address of the ledger that the study file names; None where it names none."""
        if self.path is None or self._file is None or self._file.storage is None:
            return None
        return storage_beside(self._file.storage, self.path.parent)

    @property
    def names_recipe(self) -> bool:
        """Whether somebody says how to train; a word for a part of a recipe is not enough."""
        return "recipe" in self.said or (self._file is not None and "recipe" in self._file.model_fields_set)

    @property
    def recipe_changes(self) -> dict[str, Any]:
        """What is said of parts of a recipe."""
        return {name: value for name, value in self.said.items() if _SHORT.get(name) == "recipe"}

    @property
    def start_folder(self) -> Path | None:
        """Where the study file's architectures to begin with are looked for; None where they are said beside it."""
        return None if self.path is None or "start" in self.said else self.path.parent

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where code is looked for before the working directory."""
        return () if self.path is None else (self.path.parent,)

    def evaluate(self, written: StudyFile) -> Found | None:
        """What trains in place of the proxy, if anything does.

        Raises:
            UserError: it cannot be found, or something is said that it would take no notice of.
        """
        asked = self.function or written.evaluate
        if asked is None:
            return None
        if "data" in written.model_fields_set:
            raise UserError(
                "data is what the proxy trains on; an evaluate function brings its own: leave it out, and hand over "
                "what it needs as arguments, as in my_package.train:score?path=images"
            )
        if own_schedule(written.recipe) is None:
            raise UserError(
                "a recipe is how the proxy trains; an evaluate function has its own, and is asked for epochs and rungs "
                "alone: leave the rest out, or hand it over as arguments, as in my_package.train:score?lr=0.1"
            )
        return find_function(asked, self.folders)

    def find_space(self, written: StudyFile) -> SearchSpace:
        """The space: what is given itself, or a file beside the study file, or one from here."""
        if self.space is not None:
            return self.space
        is_given = "space" in self.said or self.path is None
        return load_space(written.space) if is_given or self.path is None else written.load_space(self.path.parent)


def planned(asked: Asked, name: str | None, storage: str, progress: Callable[[int, int], None]) -> Plan:
    """A new study, checked before anything is made.

    Args:
        asked: what is wanted.
        name: of the study; None for the file's, or one from space and budget.
        storage: address of the ledger, whose studies may be begun with and whose names are taken.
        progress: told how many images of a data set are looked at, and of how many.

    Raises:
        UserError: anything that is wrong with what is wanted.
    """
    written = asked.written()
    found = asked.evaluate(written)
    definition = _defined(asked, written, found, storage, progress)
    limits = written.limits if written.limits.is_given else Limits(trials=DEFAULT_TRIALS)
    code = None if found is None else found.code
    return new_plan(definition, name=name or written.name, limits=limits, taken=_taken(storage), code=code)


def resumed(asked: Asked, name: str | None, storage: str) -> Plan:
    """A study that goes on, if what is said does not contradict it.

    Args:
        asked: limits, which may be others than before, and what has to agree with the study.
        name: of the study; None for the file's, or the latest.
        storage: address of the ledger.

    Raises:
        StudyError: no such study, or it was begun with something else.
        UserError: the file has no name in it.
    """
    given = asked.said
    limits = limits_of(given)
    if asked.path is not None:
        written = asked.written()
        if name is None and written.name is None:
            raise UserError(
                f"{asked.path} does not name its study; resume it by --study NAME (`nas studies` lists them)"
            )
        name, limits = name or written.name, written.limits
    said, moved = _stated(asked)
    with Ledger.read(storage) as ledger:
        return resumed_plan(
            ledger,
            name,
            limits=limits,
            given=said,
            data=moved,
            evaluate=asked.function or given.get("evaluate"),
            folders=asked.folders,
        )


def limits_of(given: Mapping[str, Any]) -> Limits:
    """When a run ends, by the words of a study file.

    Raises:
        UserError: a time is no duration, or a number is below 1.
    """
    words = {name: given.get(name) for name in _LIMITS if given.get(name) is not None}
    return _checked({"space": "", **words}).limits


def _merged(fields: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a study file with what is said instead."""
    unknown = [name for name in said if name not in StudyFile.model_fields and name not in _SHORT]
    if unknown:
        raise UserError(f"a study has no {unknown[0]!r}; {did_you_mean(unknown[0], StudyFile.model_fields)}")
    if any(name in said for name in _LIMITS):  # a limit in the file is not one of several any more
        fields = {name: value for name, value in fields.items() if name not in _LIMITS}
    fields |= {name: value for name, value in said.items() if name not in _SHORT}
    if "space" not in fields:
        raise UserError(
            f"which space? Name a file or a packaged one with --space (packaged: {', '.join(space_names())})"
        )
    short = {name: value for name, value in said.items() if name in _SHORT}
    task = {name: value for name, value in short.items() if _SHORT[name] == "task"}
    if task:
        before = fields.get("task") or {}
        fields["task"] = {**(before if isinstance(before, Mapping) else before.model_dump()), **task}
    changes = {name: value for name, value in short.items() if _SHORT[name] == "recipe"}
    base = _recipe(fields.get("recipe", Recipe()))
    fields["recipe"] = base.changed(**changes) if changes else base
    return fields


def _recipe(said: Any) -> Recipe:
    """A recipe by its name, its file, its fields, or itself."""
    if isinstance(said, Recipe):
        return said
    return Recipe.from_dict(said) if isinstance(said, Mapping) else load_recipe(said)


def _checked(fields: Mapping[str, Any]) -> StudyFile:
    """A study file of these fields; raises UserError for the first that breaks its rule."""
    try:
        return StudyFile.model_validate(dict(fields))
    except ValidationError as error:
        finding = error.errors(include_url=False)[0]
        name = ".".join(map(str, finding["loc"]))
        raise UserError(f"{name}: {finding['msg'].removeprefix('Value error, ')}, got {finding['input']!r}") from None


def _defined(
    asked: Asked, written: StudyFile, found: Found | None, storage: str, progress: Callable[[int, int], None]
) -> StudyDefinition:
    space = asked.find_space(written)
    task = written.task.on(space.task)
    budget = Budget.parse(written.budget)
    objectives = Objectives.parse(written.objective, known=METRICS)
    own = _own(written, found)
    starts = WarmStart(space, budget, task, objectives, asked.start_folder)
    start = _start(written.start, starts, storage) if written.start else []
    return define(
        space,
        budget,
        task=task,
        data=written.data,
        recipe=written.recipe if own is not None or asked.names_recipe else None,
        sampler=written.sampler,
        seed=written.seed,
        objectives=objectives,
        control=written.control,
        start=start,
        evaluate=own,
        changes=asked.recipe_changes,
        measures_here=asked.measures_here,
        progress=progress,
    )


def _own(written: StudyFile, found: Found | None) -> OwnTraining | None:
    if found is None:
        return None
    epochs, rungs = own_schedule(written.recipe) or (None, ())
    return OwnTraining(function=found.function, epochs=epochs, rungs=rungs)


def _start(references: list[str], starts: WarmStart, storage: str) -> list[dict[str, Value]]:
    """The choices of the candidates to begin with; a ledger that is not there yet has no studies."""
    try:
        ledger = Ledger.read(storage)
    except LedgerError:
        return starts.choices(references, None)
    with ledger:
        return starts.choices(references, ledger)


def _taken(storage: str) -> set[str]:
    """Names of the studies there are; a ledger that is not there yet has none."""
    try:
        with Ledger.read(storage) as ledger:
            return {study.name for study in ledger.studies()}
    except LedgerError:
        return set()  # `Ledger.open` says what is wrong, should anything be


def _stated(asked: Asked) -> tuple[dict[str, Any], str | None]:
    """What is said of a study that exists, in the words of its definition; and where its data is now."""
    given = asked.said
    said: dict[str, Any] = {name: given[name] for name in ("sampler", "seed", "control") if name in given}
    if "objective" in given:
        said["objectives"] = str(Objectives.parse(given["objective"], known=METRICS))
    if "budget" in given:
        said["budget"] = [str(bound) for bound in Budget.parse(given["budget"]).bounds]
    if "space" in given:
        found = asked.space or load_space(given["space"])
        said["space"] = {"name": found.name, "text": found.text}
    moved = None
    if "data" in given:
        moved = describe(given["data"]).reference
    fixed = [f"--{name.replace('_', '-')}" for name in _FIXED if name in given]
    if fixed:
        raise StudyError(
            f"{', '.join(fixed)} cannot change in a study that has begun; leave it out, or begin a new one"
        )
    return said, moved
