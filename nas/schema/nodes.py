"""YAML text to a tree of plain values that know their place in the file.

Safe by construction: the loader only composes nodes, so no tag can build an object; aliases and tags are refused, and
duplicate keys are a problem. Scalars follow the YAML 1.2 core schema, not 1.1: `1e-6` is a number, `on` is a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nas.errors import UserError
from nas.schema.problems import Mark, Problem, Problems, SchemaError, Source

Scalar = None | bool | int | float | str
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a file: a scalar, a list of nodes, or a mapping of names to nodes.

    Attributes:
        value: the scalar, list or dict.
        mark: where it begins.
        keys: for a mapping, where each key stands.
    """

    value: Scalar | list[Node] | dict[str, Node]
    mark: Mark
    keys: dict[str, Mark]

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, list)

    @property
    def mapping(self) -> dict[str, Node]:
        """The mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The list; empty for anything else."""
        return self.value if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def key_mark(self, key: str) -> Mark:
        """Where `key` stands, or where the mapping begins."""
        return self.keys.get(key, self.mark)

    def at(self, path: tuple[str | int, ...]) -> Node:
        """The node at `path`, or the nearest one above it."""
        here = self
        for step in path:
            if isinstance(step, int) and here.is_list and step < len(here.items):
                here = here.items[step]
            elif str(step) in here.mapping:
                here = here.mapping[str(step)]
            else:
                break
        return here


class _CoreLoader(yaml.SafeLoader):
    """Composes nodes with the scalars of YAML 1.2's core schema; refuses aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not supported; write the value out",
                                       problem_mark=event.start_mark)  # type: ignore[arg-type]  # fmt: skip
        return super().compose_node(parent, index)


_CoreLoader.yaml_implicit_resolvers = {}  # not SafeLoader's: the words of YAML 1.1 are left behind
_RESOLVERS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?\d[\d_]*", list("-+0123456789")),
    ("float", r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?\.inf|\.nan", list("-+.0123456789")),
)
for _kind, _pattern, _first in _RESOLVERS:
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_pattern})$"), _first)


def read_yaml(path: Path, *, name: str | None = None) -> tuple[Node, Source]:
    """Read a file; `name` is what messages call it (default: the path as given).

    Raises:
        UserError: the file is missing, is a folder, is too large or is no text.
        SchemaError: it is no YAML, or has duplicate keys, aliases or tags.
    """
    shown = name or str(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UserError(f"{shown}: larger than 1 MiB; this is no space, study or architecture file")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{shown}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{shown}: this is a folder; name a YAML file in it") from None
    except UnicodeDecodeError:
        raise UserError(f"{shown}: not a text file in UTF-8") from None
    except OSError as error:
        raise UserError(f"{shown}: cannot be read: {error.strerror}") from None
    return parse_yaml(text, shown)


def parse_yaml(text: str, name: str) -> tuple[Node, Source]:
    """Read YAML text that messages call `name`; raises SchemaError as `read_yaml` does."""
    source = Source(name, text)
    try:
        root = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
        raise SchemaError(source, [Problem(place, error.problem or "not valid YAML")]) from None
    except yaml.YAMLError as error:
        raise SchemaError(source, [Problem(Mark(1, 1), f"not valid YAML: {error}")]) from None
    except RecursionError:
        raise SchemaError(source, [Problem(Mark(1, 1), "nested too deeply")]) from None
    if root is None:
        raise SchemaError(source, [Problem(Mark(1, 1), "the file is empty")])
    problems = Problems(source)
    node = _node(root, problems)
    problems.check()
    return node, source


def _mark(node: yaml.Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def _node(raw: yaml.Node, problems: Problems) -> Node:
    mark = _mark(raw)
    if isinstance(raw, yaml.MappingNode):
        return _mapping(raw, mark, problems)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(item, problems) for item in raw.value], mark, {})
    return Node(_scalar(raw, mark, problems), mark, {})


def _mapping(raw: yaml.MappingNode, mark: Mark, problems: Problems) -> Node:
    values: dict[str, Node] = {}
    keys: dict[str, Mark] = {}
    for raw_key, raw_value in raw.value:
        key, place = str(raw_key.value), _mark(raw_key)
        if not isinstance(raw_key, yaml.ScalarNode):
            problems.add(place, "a key must be a word")
        elif key in values:
            problems.add(place, f"duplicate key {key!r}; it is already set in line {keys[key].line}")
        else:
            values[key], keys[key] = _node(raw_value, problems), place
    return Node(values, mark, keys)


def _scalar(raw: yaml.Node, mark: Mark, problems: Problems) -> Scalar:
    text: str = raw.value
    kind = raw.tag.removeprefix("tag:yaml.org,2002:")
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text.replace("_", ""))
    if kind == "float":
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    problems.add(mark, f"tags such as {raw.tag!r} are not supported")
    return None
