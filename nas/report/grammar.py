"""The grammar as rows: every family, part, field, rule and default, read from the registries that the program uses."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from sys import modules
from typing import Any

from nas.data import datasets
from nas.errors import UnknownNameError
from nas.evaluate.zerocost import scores
from nas.executors.base import executors
from nas.layers import FAMILIES, Family, canonical_value
from nas.plugins import label_of, load_installed
from nas.registry import Registry, did_you_mean
from nas.schema.fields import FieldType, field_types
from nas.search.samplers import samplers
from nas.space.keys import LINEAR_FIELDS, STAGE_FIELDS, TOP_FIELDS, Word
from nas.train.recipe import Recipe, packaged_recipe, recipe_about, recipe_names


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """A field of a part.

    Attributes:
        name: as YAML has it.
        takes: what it may hold, in words.
        rules: what else must hold, a sentence each.
        required: whether a file must give it.
        default: plain data; None also where there is none.
    """

    name: str
    takes: str
    rules: tuple[str, ...] = ()
    required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part, sampler, score, data set or recipe.

    Attributes:
        kind: the word of its family.
        name: as YAML and the command line have it.
        about: a sentence.
        reference: the paper, with its section; None where it has none.
        fields: what can be said of it.
        plugin: the plug-in that it is of, as NAME==VERSION; None for what the program brings along.
    """

    kind: str
    name: str
    about: str
    reference: str | None = None
    fields: tuple[FieldRow, ...] = ()
    plugin: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dataclasses.asdict(self)


def grammar(kind: str | None = None) -> list[PartRow]:
    """The rows of one kind, or of all.

    Raises:
        UnknownNameError: there is no such kind.
    """
    load_installed()
    if kind is None:
        return [row for rows in _KINDS.values() for row in rows()]
    if kind not in _KINDS:
        raise UnknownNameError(f"unknown kind {kind!r}; {did_you_mean(kind, _KINDS)}")
    return list(_KINDS[kind]())


def field_rows(types: Mapping[str, FieldType]) -> tuple[FieldRow, ...]:
    """The fields of a dataclass or of a mapping of the YAML."""
    return tuple(_field(name, kind) for name, kind in types.items())


def _field(name: str, kind: FieldType) -> FieldRow:
    required = kind.default is dataclasses.MISSING
    default = None if required else kind.default
    return FieldRow(
        name=name,
        takes="a list of " * kind.many + kind.expected,
        rules=tuple(rule.sentence for rule in kind.rules),
        required=required,
        default=canonical_value(default),
    )


def _mapping_rows(kind: str, about: str, types: Mapping[str, FieldType]) -> list[PartRow]:
    return [PartRow(kind=kind, name=kind, about=about, fields=field_rows(types))]


def _family(family: Family[Any]) -> Iterator[PartRow]:
    for row in _named(family.kind, family, dict(family.items())):
        yield dataclasses.replace(row, fields=field_rows(field_types(family[row.name])))


def _named(kind: str, registry: Registry[Any], things: Mapping[str, Any]) -> Iterator[PartRow]:
    """What a registry holds; `things` are its entries, or what carries their docstrings."""
    for name, thing in things.items():
        plugin = registry.plugin_of(name)
        label = None if plugin is None else label_of(plugin)
        yield PartRow(kind=kind, name=name, about=summary(thing), reference=paper(thing), plugin=label)


def _recipes() -> Iterator[PartRow]:
    for name in recipe_names():
        about = recipe_about(name)
        yield PartRow(
            kind="recipe",
            name=name,
            about=_PAPER.sub("", about),
            reference=_reference_in(about),
            fields=tuple(
                FieldRow(name=field, takes=Recipe.model_fields[field].description or "", default=value)
                for field, value in packaged_recipe(name).items()
            ),
        )


LEAVES: Mapping[Word, str] = {
    "choice": "{choice: [...]}: one of several values or parts; `per: stage` asks for every stage, `per: block` (in a "
    "block) for every block, `at_most: 2 maps` "
    "drops what is larger than twice the side of the stage's map.",
    "int": "{int: [low, high], step: n}: a whole number of a range, both ends included.",
    "base": "{base: ..., ratio: [1, 2, 4, 8]}: one value times a factor a stage.",
    "pattern": "{pattern: [...]}: repeated over the blocks of a stage; only in a block.",
    "when": "{when: {field: test}, then: ..., else: ...}: depends on a field beside it; a test is a value, a list of "
    "values or a comparison such as '>= 13'.",
    "same": "{same: group_width}: the answer that the linear rule has for a number of its own; only under `stages`.",
}
"""What may stand at a leaf of a space in place of a value; under `stages` also a list with one entry a stage."""


def _leaves() -> Iterator[PartRow]:
    for word, about in LEAVES.items():
        yield PartRow(kind="leaf", name=word, about=about)


_KINDS: Mapping[str, Callable[[], Iterable[PartRow]]] = {
    "architecture": lambda: _mapping_rows("architecture", "The top level of a space or architecture.", TOP_FIELDS),
    "stage": lambda: _mapping_rows(
        "stage",
        "The keys under `stages`, each with one entry a stage. `count: {choice: [3, 4]}` searches their number; a "
        "depth of 0 leaves a stage out, with its downsample, width and norm.",
        STAGE_FIELDS,
    ),
    "linear": lambda: _mapping_rows(
        "linear",
        "RegNet's rule under `stages`: it gives `depth` and `width` of as many stages as `count` says, from blocks in "
        "all, first width, slope, factor between stages and group width (arXiv:2003.13678, equations 2 to 4).",
        LINEAR_FIELDS,
    ),
    "leaf": _leaves,
    **{family.kind: partial(_family, family) for _, family in FAMILIES},
    "sampler": lambda: _named("sampler", samplers, {name: one.make for name, one in samplers.items()}),
    "score": lambda: _named("score", scores, dict(scores.items())),
    "executor": lambda: _named("executor", executors, dict(executors.items())),
    "data": lambda: _named("data", datasets, dict(datasets.items())),
    "recipe": _recipes,
}

_PAPER = re.compile(r"\s*\(([^()]*arXiv:[^()]*)\)")


def summary(thing: Any) -> str:
    """The first paragraph of its docstring, without the reference."""
    paragraph = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return _PAPER.sub("", " ".join(paragraph.split()))


def paper(thing: Any) -> str | None:
    """The reference in its docstring, or in that of its file."""
    return _reference_in(inspect.getdoc(thing) or "") or _reference_in(modules[thing.__module__].__doc__ or "")


def _reference_in(text: str) -> str | None:
    match = _PAPER.search(" ".join(text.split()))
    return None if match is None else match[1]
