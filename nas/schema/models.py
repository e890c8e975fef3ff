"""Pydantic models from YAML nodes, with pydantic's findings put at their place in the file."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from nas.errors import UserError, shortened
from nas.registry import did_you_mean
from nas.schema.nodes import Node
from nas.schema.problems import Problems

M = TypeVar("M", bound=BaseModel)


def read_model(model: type[M], node: Node, problems: Problems, context: object = None) -> M:
    """The model that a file describes.

    Args:
        model: what to read.
        node: the whole of it.
        problems: what is wrong with it already.
        context: what the model's validators are told beside the values.

    Raises:
        SchemaError: all problems, those that were known before as well.
    """
    found: M | None = None
    try:
        found = model.model_validate(node.plain(), context=context)
    except ValidationError as error:
        for finding in error.errors(include_url=False):
            _note(model, finding, node, problems)
    problems.check()
    if found is None:
        raise UserError(f"{problems.source.name}: cannot be read")
    return found


def _note(model: type[BaseModel], finding: Any, node: Node, problems: Problems) -> None:
    path = tuple(finding["loc"])
    if finding["type"] == "extra_forbidden":
        parent, key = node.at(path[:-1]), str(path[-1])
        known = _fields_at(model, path[:-1])
        problems.add(parent.key_mark(key), partial(_unknown_key, key, known))
    elif finding["type"] == "missing":
        problems.add(node.at(path[:-1]).mark, f"the key {path[-1]!r} is missing")
    elif finding["type"] in ("model_type", "model_attributes_type", "dict_type"):
        name = ".".join(map(str, path)) or "the file"
        problems.add(node.at(path).mark, f"{name} must be a mapping with keys such as {_examples(model, path)}")
    else:
        name = ".".join(map(str, path)) or "the file"
        message = finding["msg"].removeprefix("Value error, ")
        problems.add(node.at(path).mark, f"{name}: {message[0].lower()}{message[1:]}")


def _unknown_key(key: str, known: Sequence[str]) -> str:
    return f"unknown key {shortened(key)}; {did_you_mean(key, known)}"


def _examples(model: type[BaseModel], path: tuple[str | int, ...]) -> str:
    return ", ".join(map(repr, _fields_at(model, path)[:3])) or "'name'"


@lru_cache
def _fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys of the model at `path`, as far as the annotations tell."""
    here: Any = model
    for step in path:
        field = getattr(_model_in(here), "model_fields", {}).get(step)
        here = _model_in(here) if field is None else field.annotation
    return list(getattr(_model_in(here), "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    """The model inside `Model | None` or `list[Model]`, or what was given."""
    inside = [_model_in(one) for one in typing.get_args(annotation)]
    return next((one for one in inside if hasattr(one, "model_fields")), annotation)
