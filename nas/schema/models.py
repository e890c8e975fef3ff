"""Pydantic models from YAML nodes, with pydantic's findings put at their place in the file."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from nas.registry import did_you_mean
from nas.schema.nodes import Node
from nas.schema.problems import Problems

M = TypeVar("M", bound=BaseModel)


def read_model(model: type[M], node: Node, problems: Problems) -> M | None:
    """The model that `node` describes; None when there were problems, which are added to `problems`."""
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        for finding in error.errors(include_url=False):
            _note(model, finding, node, problems)
        return None


def _note(model: type[BaseModel], finding: Any, node: Node, problems: Problems) -> None:
    path = tuple(finding["loc"])
    if finding["type"] == "extra_forbidden":
        parent, key = node.at(path[:-1]), str(path[-1])
        known = _fields_at(model, path[:-1])
        problems.add(parent.key_mark(key), f"unknown key {key!r}; {did_you_mean(key, known)}")
    elif finding["type"] == "missing":
        problems.add(node.at(path[:-1]).mark, f"the key {path[-1]!r} is missing")
    else:
        name = ".".join(map(str, path)) or "the file"
        message = finding["msg"].removeprefix("Value error, ")
        problems.add(node.at(path).mark, f"{name}: {message[0].lower()}{message[1:]}")


def _fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    here: Any = model
    for step in path:
        field = getattr(here, "model_fields", {}).get(step)
        if field is None:
            return []
        here = field.annotation
    return list(getattr(here, "model_fields", {}))
