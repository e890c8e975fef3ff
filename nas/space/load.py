"""Spaces and architectures from files: by path, or by the name of what travels with the program."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from nas.architecture import Architecture
from nas.command_line import command_line
from nas.cost import Budget
from nas.errors import BudgetError, FieldError, UnknownNameError, UserError, shortened
from nas.registry import did_you_mean
from nas.schema.fields import shown
from nas.schema.nodes import Node, read_yaml
from nas.schema.packaged import SPACES, packaged, preset_names, preset_path, space_names
from nas.schema.problems import Mark, Problems
from nas.space.askers import following
from nas.space.feasible import FeasibleSet
from nas.space.reader import Reader
from nas.space.root import Root
from nas.space.rules import try_options
from nas.space.space import SearchSpace
from nas.task import Task

_WORDS = ("name", "about", "source")


def load_space(ref: str | Path) -> SearchSpace:
    """The space of a file, or a packaged one by name.

    `tiny.yaml` and `tiny` both mean the packaged space where there is no such file here.

    Raises:
        UnknownNameError: neither a file nor a packaged space.
        SchemaError: the file has problems.
    """
    path = Path(ref)
    name = path.name.removesuffix(".yaml")
    if len(path.parts) > 1 or path.is_absolute() or _is_file(path) or not name:
        return _read(path, str(ref))
    if name in space_names():
        return _packaged_space(name)
    if os.path.isdir(path):
        return _read(path, str(ref))
    hint = did_you_mean(name, space_names())
    raise UnknownNameError(f"no file {str(ref)!r} here and no packaged space {name!r}; {hint}")


@lru_cache(maxsize=2)  # a space keeps its last set of points, which a study from Python prices anew otherwise
def _packaged_space(name: str) -> SearchSpace:
    return _read(packaged(SPACES) / f"{name}.yaml", f"{name}.yaml")


def load_architecture(ref: str | Path) -> Architecture:
    """The architecture of a preset name or of an architecture file.

    Raises:
        UnknownNameError: neither a file nor a preset.
        SchemaError: the file has problems.
        UserError: the file is a space with open decisions.
    """
    text = str(ref)
    path = Path(ref)
    name = text.removesuffix(".yaml")
    if _is_file(path):
        return _architecture_of_file(path, text)
    if name in preset_names():
        return _preset(name)
    if _is_file(path / "architecture.yaml"):
        return _only_point(_read(path / "architecture.yaml", text), text)
    if path.suffix in (".yaml", ".yml") or os.path.isdir(path):
        return _only_point(_read(path, text), text)  # says what is wrong with it
    if name in space_names():
        return _only_point(load_space(name), name)
    near = did_you_mean(name, preset_names())
    hint = near if near.startswith("did") else "`nas presets` lists the presets"
    raise UnknownNameError(f"no file and no preset {text!r}; {hint}")


def _architecture_of_file(path: Path, name: str) -> Architecture:
    """A file in the words of a space, or in those that `--json` prints: an architecture, or one with its costs."""
    node, problems = read_yaml(path, name=name)
    return Architecture.read(node, problems) or _only_point(read_space(node, problems), name)


def _is_file(path: Path) -> bool:
    """Whether there is something to read; `os.path` because a `Path` fails on names the system cannot look up."""
    return os.path.exists(path) and not os.path.isdir(path)


@cache
def _preset(name: str) -> Architecture:
    return _only_point(_read(preset_path(name), f"{name}.yaml"), name)


def _read(path: Path, name: str) -> SearchSpace:
    return read_space(*read_yaml(path, name=name))


def _only_point(space: SearchSpace, name: str) -> Architecture:
    open_decisions = list(space.dimensions())
    if open_decisions:
        more = f" and {len(open_decisions) - 3} more" if len(open_decisions) > 3 else ""
        raise UserError(
            f"{name}: this is a space, not an architecture: {', '.join(open_decisions[:3])}{more} "
            f"{'is' if len(open_decisions) == 1 else 'are'} open; `{command_line('sample', '--space', name)}` draws "
            "from it"
        )
    return space.build(following({}))


def read_space(node: Node, problems: Problems) -> SearchSpace:
    """The space a file describes.

    Raises:
        SchemaError: the file has problems; all of them are listed.
    """
    task, smallest = _task(node, problems)
    top, columns, stages, count = Reader(problems, smallest).space(node, (*_WORDS, "task"))
    name, about, _ = (_text(node, word, problems) for word in _WORDS)
    problems.check()
    name = name or problems.source.name.rpartition("/")[2].rpartition(".")[0]
    root = Root(name, top, columns, stages, count)
    is_cut = _try_options(root, task, node.key_mark("stages"), problems)
    problems.check()
    return SearchSpace(root, about, task, problems.source.text, is_cut)


def _text(file: Node, word: str, problems: Problems) -> str:
    node = file.mapping.get(word)
    if node is None:
        return ""
    if not isinstance(node.value, str) or not node.value:
        problems.add(node.mark, f"{word} must be text, got {shown(node.plain())}; put quotes around it")
        return ""
    return node.value


def _task(file: Node, problems: Problems) -> tuple[Task, Task]:
    """The task and, where its resolution is searched, the same at the largest and at the smallest."""
    node = file.mapping.get("task")
    if node is None:
        return Task(), Task()
    known = ("resolution", "classes", "channels")
    if not node.is_mapping:
        problems.add(node.mark, f"task is a mapping with {', '.join(known)}, got {shown(node.plain())}")
    values: dict[str, Any] = {}
    for key, child in node.mapping.items():
        if key not in known:
            problems.add(node.key_mark(key), f"unknown key {shortened(key)} of task; {did_you_mean(key, known)}")
            continue
        if key == "resolution" and child.is_mapping:
            continue  # a decision, which is read with the others
        try:
            Task(**{key: child.plain()})
        except FieldError as error:
            problems.add(child.mark, f"task.{error}")
        else:
            values[key] = child.plain()
    task = Task(**values)
    sides = _sides(node.mapping["resolution"]) if "resolution" in node.mapping else []
    return (replace(task, resolution=max(sides)), replace(task, resolution=min(sides))) if sides else (task, task)


def _sides(node: Node) -> list[int]:
    """The resolutions that a decision may be answered with, as far as they are sensible."""
    named = node.mapping.get("choice", node.mapping.get("int"))
    sides = [one.value for one in named.items] if named is not None else []
    return [one for one in sides if type(one) is int and 1 <= one <= 1 << 20]


def _try_options(root: Root, task: Task, stages: Mark, problems: Problems) -> bool:
    """Note the rules between fields that some answers break, now and not in the middle of a search.

    Returns:
        Whether parts may not fit their places, so that not every set of answers is a network.
    """
    decisions = {name: decision for decision in root.decisions() for name in decision.names()}
    found = try_options(root)
    for answers, error in found.broken:
        mark = max((decisions[name].mark for name in answers), default=stages)
        given = " and ".join(f"{name}={shown(value)}" for name, value in answers.items())
        problems.add(mark, f"{error} (with {given})" if given else str(error))
    if found.is_empty and not found.broken and found.misfit is not None and _is_empty(root, task):
        choices = ", whatever the choices: nothing is left of this space" if decisions else ""
        problems.add(stages, f"{found.misfit.part}: {found.misfit}{choices}")
    return found.misfit is not None


def _is_empty(root: Root, task: Task) -> bool:
    """Whether a space has no network at all, exactly."""
    try:
        return FeasibleSet(root, Budget(), task).size.points == 0
    except BudgetError:
        return True
