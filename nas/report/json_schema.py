"""JSON Schemas (draft 2020-12) of our YAML files, made from the registries, for editors to complete and check by.

They say less than the readers do: what joins several fields, such as a list of as many entries as there are stages, is
left to `nas check`. What they refuse, the readers refuse.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from nas.errors import UnknownNameError
from nas.layers import Family, family_of
from nas.registry import did_you_mean
from nas.report.grammar import paper, summary
from nas.schema.fields import FieldType, field_types
from nas.search.definition import StudyFile
from nas.search.samplers import samplers
from nas.search.sweeps.comparison import ComparisonFile
from nas.space.keys import LINEAR_FIELDS, STAGE_FIELDS, TOP_FIELDS
from nas.train.recipe import Recipe, recipe_names

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str | None = None) -> Schema:
    """The schema of one kind of file, or of any of them.

    Raises:
        UnknownNameError: there is no such kind of file.
    """
    if kind is not None and kind not in _KINDS:
        raise UnknownNameError(f"unknown kind of file {kind!r}; {did_you_mean(kind, _KINDS)}")
    definitions: dict[str, Schema] = {}
    kinds = _KINDS if kind is None else [kind]
    references = [_KINDS[one](definitions) for one in kinds]
    title = "a file" if kind is None else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} file"
    body = references[0] if len(references) == 1 else {"anyOf": references}
    return {"$schema": _DIALECT, "title": f"{title} of nas", **body, "$defs": dict(sorted(definitions.items()))}


# Spaces and architectures.


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a leaf stands, which says how it may be written; see `nas.space.leaves`.

    Attributes:
        is_open: whether choices may be left open: in a space, not in an architecture.
        in_stages: whether a list with one entry a stage means something.
        in_block: whether a pattern does.
    """

    is_open: bool
    in_stages: bool = False
    in_block: bool = False

    @property
    def name(self) -> str:
        """For the definitions made for it."""
        where = "block" if self.in_block else "stages" if self.in_stages else "top"
        return where if self.is_open else f"fixed.{where}"


@dataclass(frozen=True)
class _Writer:
    """Makes definitions, each once."""

    definitions: dict[str, Schema] = field(default_factory=dict)

    def file(self, *, is_open: bool) -> Schema:
        """A space or an architecture."""
        top = _Place(is_open=is_open)
        whole = self.mapping(TOP_FIELDS, top, "The stem, the stages and the head of a network.")
        whole["properties"] |= {
            "name": _text("What messages and tables call it."),
            "about": _text("A sentence for people."),
            "source": _text("Where it is published."),
            "task": _closed(
                {
                    **{name: {"type": "integer", "minimum": least} for name, least in _TASK.items()},
                    "resolution": self.leaf(TOP_FIELDS["resolution"]._replace(optional=False), top),
                },
                "What costs are for: side of the images in pixels, classes and channels.",
            ),
            "stages": self.stages(replace(top, in_stages=True)),
        }
        whole["required"] += ["stages"]
        return whole | _FOR_ANCHORS

    def stages(self, place: _Place) -> Schema:
        """The key `stages`."""
        found = self.mapping(STAGE_FIELDS, place, "A key for each field, with one entry a stage.")
        number = {"type": "integer", "minimum": 1, "maximum": 100}
        several = [
            _form({"choice": _listed(number)}, ["choice"], "One of several: the last stages are left out."),
            _form({"int": _ends(number), "step": {"type": "integer", "minimum": 1}}, ["int"], "From low to high."),
        ]
        found["properties"]["linear"] = self.mapping(LINEAR_FIELDS, place, "RegNet's rule for depths and widths.")
        found["required"] = [name for name in found["required"] if name not in ("depth", "width")]
        found["anyOf"] = [{"required": ["depth", "width"]}, {"required": ["linear"]}]
        found["properties"]["count"] = {
            "anyOf": [number, *several] if place.is_open else [number],
            "description": "The number of stages.",
        }
        return found

    def mapping(self, types: Mapping[str, FieldType], place: _Place, about: str) -> Schema:
        """A mapping with these fields."""
        properties = {}
        for name, kind in types.items():
            inner = replace(place, in_block=place.in_block or (place.in_stages and name == "block"))
            properties[name] = self.leaf(kind, inner)
        found = _closed(properties, about)
        found["required"] = [name for name, kind in types.items() if kind.default is dataclasses.MISSING]
        return found

    def leaf(self, kind: FieldType, place: _Place) -> Schema:
        """What may be written where a value of this type is expected."""
        name = f"{place.name}.{_slug(kind)}"
        if name not in self.definitions:
            self.definitions[name] = {}  # it refers to itself
            again = _to(name)
            self.definitions[name] = {"anyOf": [*self._values(kind, place), *_forms(kind, place, again)]}
        return _to(name)

    def _values(self, kind: FieldType, place: _Place) -> list[Schema]:
        """A value itself: scalars, words, parts, or a list of them."""
        if kind.many:
            return [{"type": "array", "items": self.leaf(kind.entry, place)}]
        found: list[Schema] = []
        words = [one for one in kind.plain if not isinstance(one, type)]
        keywords = {name: value for rule in kind.rules for name, value in json.loads(rule.keywords).items()}
        found += [{"type": _TYPES[one], **keywords} for one in kind.plain if isinstance(one, type)]
        if words:
            found.append({"enum": words})
        if kind.spec is not None:
            family = family_of(kind.spec)
            found.append({"enum": list(family), "description": f"The {family.kind}, with its defaults."})
            found += [self.part(family, one, place) for one in family]
        if kind.optional:
            found.append({"type": "null"})
        return found

    def part(self, family: Family[Any], kind: str, place: _Place) -> Schema:
        """A part with fields."""
        name = f"{place.name}.{family.kind}.{kind}"
        if name not in self.definitions:
            self.definitions[name] = {}
            cls = family[kind]
            reference = paper(cls)
            about = summary(cls) + (f" ({reference})" if reference else "")
            found = self.mapping(field_types(cls), place, about)
            found["properties"] = {"kind": {"const": kind}, **found["properties"]}
            if cls.plugin is not None:
                found["properties"]["plugin"] = _text("The plug-in that it is of, as NAME==VERSION.")
            found["required"] = ["kind", *found["required"]]
            self.definitions[name] = found
        return _to(name)


_FOR_ANCHORS: Schema = {"patternProperties": {"^x-": {}}}
_TASK = {"resolution": 1, "classes": 0, "channels": 1}
_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}
_ANYTHING: Schema = {"type": ["integer", "number", "boolean", "string", "null"]}
_TEST: Schema = {"anyOf": [_ANYTHING, {"type": "array", "items": _ANYTHING}]}


def _forms(kind: FieldType, place: _Place, again: Schema) -> list[Schema]:
    """The other ways to write a leaf, by the words of `nas.space.keys.WORDS`."""
    asked: Schema = {}
    if place.in_stages:
        limit = {"type": ["number", "string"], "exclusiveMinimum": 0, "pattern": r"^\d+(\.\d+)? maps?$"}
        per = {"enum": ["stage", "block"]} if place.in_block else {"const": "stage"}
        asked = {"per": per, "at_most": limit}
    found: list[Schema] = []
    if place.is_open:
        found.append(_form({"choice": _listed(again), **asked}, ["choice"], "One of several."))
        if {int, float} & set(kind.plain) and not kind.many:
            ends = _ends({"type": "integer"})
            step = {"type": "integer", "minimum": 1}
            found.append(_form({"int": ends, "step": step, **asked}, ["int"], "A whole number of [low, high]."))
    when = {"type": "object", "minProperties": 1, "additionalProperties": _TEST}
    found.append(
        _form({"when": when, "then": again, "else": again}, ["when", "then", "else"], "By the value of a field beside.")
    )
    if place.in_stages and not kind.many:
        found.append({**_listed(again), "description": "One entry a stage."})
    if place.in_stages and int in kind.plain and not kind.many:
        ratio = _listed({"type": "number", "exclusiveMinimum": 0, "maximum": 1000})
        found.append(_form({"base": again, "ratio": ratio}, ["base", "ratio"], "One value times a factor a stage."))
    if place.in_stages and int in kind.plain and not kind.many:
        found.append(_form({"same": {"enum": list(LINEAR_FIELDS)}}, ["same"], "As the linear rule has it."))
    if place.in_block:
        found.append(_form({"pattern": _listed(again)}, ["pattern"], "Repeated over the blocks of a stage."))
    return found


def _form(properties: Mapping[str, Schema], required: list[str], about: str) -> Schema:
    return {**_closed(properties, about), "required": required}


def _closed(properties: Mapping[str, Schema], about: str) -> Schema:
    return {"type": "object", "description": about, "properties": dict(properties), "additionalProperties": False}


def _ends(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 2, "maxItems": 2}


def _listed(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _text(about: str) -> Schema:
    return {"type": "string", "minLength": 1, "description": about}


def _to(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _slug(kind: FieldType) -> str:
    """A name that types with equal values share."""
    words = [*["list of"] * kind.many, kind.expected, *(rule.sentence for rule in kind.rules)]
    return re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(words)).strip("-")


# Recipes and studies: pydantic's own schemas, and what validators before the fields make of shorter forms.


def _model(model: type[BaseModel], definitions: dict[str, Schema]) -> Schema:
    """A model's schema; its definitions are added to the others."""
    found = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions |= found.pop("$defs", {})
    return found


def _recipe(definitions: dict[str, Schema]) -> Schema:
    found = _model(Recipe, definitions)
    found["properties"]["base"] = {**_recipe_name(), "description": "A packaged recipe or a file to start from."}
    rung = definitions["Rung"]
    definitions["Rung"] = {"anyOf": [{"type": "integer", "minimum": 1}, rung]}
    return found | _FOR_ANCHORS


def _recipe_name() -> Schema:
    return {"anyOf": [{"enum": recipe_names()}, {"type": "string", "pattern": r"\.(ya?ml|json)$"}]}


def _study(definitions: dict[str, Schema]) -> Schema:
    recipe = _recipe(definitions)
    found = []
    models: dict[str, type[BaseModel]] = {"search": StudyFile, "comparison": ComparisonFile}
    for name, model in models.items():
        whole = _model(model, definitions) | _FOR_ANCHORS
        for one in ("budget", "start", "plugins"):
            if one in whole["properties"]:
                whole["properties"][one] = {"anyOf": [{"type": "string"}, whole["properties"][one]]}
        if "sampler" in whole["properties"]:
            whole["properties"]["sampler"]["enum"] = list(samplers)
        whole["properties"]["recipe"] = {"anyOf": [_recipe_name(), _to("Recipe")]}
        definitions[name] = whole
        found.append(_to(name))
    definitions["Recipe"] = recipe
    definitions["Rung"] = _as_rung(definitions["Rung"])
    return {"anyOf": found}


def _as_rung(found: Schema) -> Schema:
    return found if "anyOf" in found else {"anyOf": [{"type": "integer", "minimum": 1}, found]}


_KINDS: Mapping[str, Callable[[dict[str, Schema]], Schema]] = {
    "space": lambda definitions: _Writer(definitions).file(is_open=True),
    "architecture": lambda definitions: _Writer(definitions).file(is_open=False),
    "recipe": _recipe,
    "study": _study,
}

FILES = tuple(_KINDS)
"""The kinds of files there are schemas of."""
