"""YAML text to a tree of plain values that know their place in the file.

Anchors, aliases and merge keys mean what they mean everywhere: `&a`, `*a`, `<<: *a`, `<<: [*a, *b]`. What a mapping
says itself comes before what it merges, and of two that are merged the first. Keys of the file that begin with `x-` are
for parts that are only there to be referred to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nas.errors import UserError, shortened
from nas.schema.loader import RefusedError, compose, has_anchor, is_merge
from nas.schema.problems import Mark, Problem, Problems, SchemaError, Source

Scalar = None | bool | int | float | str
_YAML = "tag:yaml.org,2002:"
_MAX_BYTES = 1 << 20
_MAX_DIGITS = 4000  # beyond this Python refuses to read a whole number


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


def read_yaml(path: Path, *, name: str | None = None) -> tuple[Node, Problems]:
    """Read a file; `name` is what messages call it (default: the path as given).

    Returns:
        The tree, and a collector that holds what is wrong with it already (duplicate keys, tags), for the reader that
        makes something of the tree to add to and `check`.

    Raises:
        UserError: the file is missing, is a folder, is too large or is no text.
        SchemaError: it is no YAML, or more of it than we read.
    """
    shown = name or str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)  # not its size: a device has none, and no end
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{shown}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{shown}: this is a folder; name a YAML file in it") from None
    except UnicodeDecodeError:
        raise UserError(f"{shown}: not a text file in UTF-8; name a YAML file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UserError(f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > _MAX_BYTES:
        raise UserError(f"{shown}: larger than 1 MiB; this is no space, study or architecture file")
    return parse_yaml(text, shown)


def parse_yaml(text: str, name: str) -> tuple[Node, Problems]:
    """Read YAML text that messages call `name`; raises SchemaError as `read_yaml` does."""
    source = Source(name, text)
    try:
        root = compose(text)
    except yaml.MarkedYAMLError as error:
        raise SchemaError(source, [_syntax_problem(error)]) from None
    except yaml.reader.ReaderError as error:
        raise SchemaError(source, [_character_problem(error, text)]) from None
    if root is None:
        raise SchemaError(source, [Problem(Mark(1, 1), "the file is empty")])
    problems = Problems(source)
    return _node(_without_kept(root, problems), problems), problems


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    """YAML's own complaint in words that say what to do, where we know what people mostly got wrong."""
    mark, problem = error.problem_mark or error.context_mark, error.problem or "it cannot be read"
    place = _mark(mark) if mark else Mark(1, 1)
    if isinstance(error, RefusedError):
        return Problem(place, problem)
    context = ""
    if error.context and error.context_mark:
        context = f" ({error.context} that begins in line {error.context_mark.line + 1})"
    advice = next((advice for sign, advice in _ADVICE.items() if sign in problem), None)
    return Problem(place, f"not valid YAML: {advice or problem + context}")


_ADVICE = {
    "'\\t'": "a tab cannot indent; use spaces",
    "mapping values are not allowed here": "a ':' makes no sense here; check the indentation of this line and of the "
    "one above, and put quotes around text that holds ': '",
    "but found another document": "a second document begins here; a file holds one",
}


def _character_problem(error: yaml.reader.ReaderError, text: str) -> Problem:
    lines = text[: error.position].split("\n")
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return Problem(Mark(len(lines), len(lines[-1]) + 1), f"not valid YAML: the character U+{code:04X} is not allowed")


def _mark(mark: yaml.Mark) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _node(raw: yaml.Node, problems: Problems) -> Node:
    mark = _mark(raw.start_mark)
    if isinstance(raw, yaml.MappingNode):
        return _mapping(raw, mark, problems)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(item, problems) for item in raw.value], mark, {})
    return Node(_scalar(raw, mark, problems), mark, {})


def _mapping(raw: yaml.MappingNode, mark: Mark, problems: Problems) -> Node:
    values: dict[str, Node] = {}
    keys: dict[str, Mark] = {}
    merged: list[Node] = []
    for raw_key, raw_value in raw.value:
        key, place = str(raw_key.value), _mark(raw_key.start_mark)
        if not isinstance(raw_key, yaml.ScalarNode):
            problems.add(place, "a key must be a word, not a list or a mapping")
        elif is_merge(raw_key):
            merged += _merged(_node(raw_value, problems), problems)
        elif key in values:
            problems.add(place, f"duplicate key {shortened(key)}; it is already set in line {keys[key].line}")
        else:
            values[key], keys[key] = _node(raw_value, problems), place
    for one in merged:
        for key in one.mapping:
            keys.setdefault(key, one.keys[key])
            values.setdefault(key, one.mapping[key])
    return Node(values, mark, keys)


def _merged(node: Node, problems: Problems) -> list[Node]:
    """The mappings that a merge key names."""
    found = node.items if node.is_list else [node]
    for one in found:
        if not one.is_mapping:
            problems.add(one.mark, "<< merges a mapping or a list of mappings: '<<: *name'")
    return [one for one in found if one.is_mapping]


_KEPT = "x-"


def _without_kept(root: yaml.Node, problems: Problems) -> yaml.Node:
    """The file without the keys that only hold what others refer to."""
    if not isinstance(root, yaml.MappingNode):
        return root
    kept = []
    for key, value in root.value:
        if not str(key.value).startswith(_KEPT):
            kept.append((key, value))
        elif not has_anchor(value):
            told = f"{key.value}: keys with {_KEPT!r} are for anchors (&name), and here is none; nothing would read it"
            problems.add(_mark(key.start_mark), told)
    root.value = kept
    return root


def _scalar(raw: yaml.Node, mark: Mark, problems: Problems) -> Scalar:
    text: str = raw.value
    kind = raw.tag.removeprefix(_YAML)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "float":
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    if len(text) > _MAX_DIGITS:
        problems.add(mark, f"a whole number of more than {_MAX_DIGITS} digits")
        return 0
    return int(text.replace("_", ""))
