"""What it takes to run a study again: its files, the command, and what they cannot say."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from nas.records import StudyKind, StudyRecord
from nas.report.study.rows import RepeatRow

_PACKAGES = ("nas-convnets", "torch", "optuna", "numpy")
_USUAL_REDUCTION = 3  # what a study file leads to (see `nas.search.halving`)


def repeat_row(record: StudyRecord, count: int, start: Sequence[str], *, is_told: bool = False) -> RepeatRow:
    """How to run a study again.

    Args:
        record: the study.
        count: candidates that a search has evaluated, or trainings of each architecture of a comparison.
        start: ids of the architectures that a search was begun with.
        is_told: whether accuracies came from outside, by `study.tell`.
    """
    is_search = record.kind is StudyKind.SEARCH
    study = f"{file_name(record.name, 'study')}.yaml"
    space = record.definition.get("space") or {}
    space_file = f"{file_name(space.get('name', ''), 'space')}.space.yaml"
    fields = _search(record, count, start, space_file) if is_search else _comparison(record, count)
    files = {study: _yaml(fields), **({space_file: space["text"]} if "text" in space else {})}
    asked = f"nas search --study {shlex.quote(study)}" if is_search else f"nas compare {shlex.quote(study)}"
    return RepeatRow(
        command="" if is_told else f"{asked} --storage sqlite:///again.db",
        files=files,
        facts=dict(_facts(record)),
        missing=tuple(_missing(record, start, is_told=is_told)),
    )


def file_name(name: str, otherwise: str) -> str:
    """A name of a file without a folder, of letters that every system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or otherwise


def _search(record: StudyRecord, count: int, start: Sequence[str], space_file: str) -> dict[str, Any]:
    definition = record.definition
    fields = {
        "name": record.name,
        "space": space_file,
        "budget": definition.get("budget"),
        "task": definition.get("task"),
        **_training(definition),
        "objective": definition.get("objectives"),
        "sampler": definition.get("sampler"),
        "seed": definition.get("seed"),
        "control": definition.get("control"),
        "start": [f"{identity}.yaml" for identity in start],
        "trials": max(count, 1),
    }
    # A recipe is written where it is all defaults, too: without the word another one would be chosen.
    return {
        name: value
        for name, value in fields.items()
        if value is not None and (name == "recipe" or value not in ([], {}))
    }


def _training(definition: Mapping[str, Any]) -> dict[str, Any]:
    """How candidates are trained: a recipe on a data set, or somebody's own function."""
    own = definition.get("evaluate")
    if own is None:
        return {"data": definition.get("data"), "recipe": definition.get("recipe")}
    rungs = [{"epochs": epochs} for epochs in own["rungs"]]
    recipe = {name: value for name, value in (("epochs", own["epochs"]), ("rungs", rungs)) if value}
    return {"evaluate": own["reference"], "recipe": recipe or None}


def _comparison(record: StudyRecord, seeds: int) -> dict[str, Any]:
    definition = record.definition
    fields = {name: definition.get(name) for name in ("architectures", "task", "data", "recipe")}
    return {"name": record.name, **{name: value for name, value in fields.items() if value}, "seeds": seeds}


def _facts(record: StudyRecord) -> Iterator[tuple[str, str]]:
    definition = record.definition
    own = definition.get("evaluate")
    if own is None:
        yield "data fingerprint", str(definition.get("fingerprint", "unknown"))
    else:
        yield "evaluate function", f"{own['name']} {own['version']} ({own['version_is']})"
    yield "seed", str(definition.get("seed", 0))
    for label in definition.get("plugins", ()):
        yield f"plug-in {str(label).partition('==')[0]}", str(label).partition("==")[2]
    for package in _PACKAGES:
        yield f"{package}, where this was written", _version(package)
    yield "Python, where this was written", platform.python_version()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _missing(record: StudyRecord, start: Sequence[str], *, is_told: bool) -> Iterator[str]:
    definition = record.definition
    if is_told:
        yield "accuracies were told from outside (`study.tell`), which no command repeats"
    if record.kind is StudyKind.COMPARE:
        yield "architectures that are files or candidates of a study have to be where they were"
    if definition.get("evaluate"):
        own = definition["evaluate"]
        yield f"trainings were those of {own['name']}, version {own['version']}: its code is not in these files"
    if start:
        yield "the files of `start` are architectures of this report: `nas show STUDY:ID --yaml` writes one"
    if definition.get("plugins"):
        yield "plug-ins are code of their own: name theirs with --plugin"
    if definition.get("profiles"):
        yield f"latencies were measured under the profiles {', '.join(definition['profiles'])} of that machine"
    if definition.get("reduction", _USUAL_REDUCTION) != _USUAL_REDUCTION:
        yield f"one in {definition['reduction']} candidates went on to the next rung"
    if record.kind is StudyKind.SEARCH:
        yield (
            "with several workers, which training ends first may change what is asked for next; "
            "one worker (--workers 1) asks for the same again"
        )


def _yaml(fields: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(fields), sort_keys=False, default_flow_style=None, width=100, allow_unicode=True))
