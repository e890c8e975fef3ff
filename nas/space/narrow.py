"""A space file with fewer values, edited as text: everything else, comments too, stays as it is written."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import yaml

from nas.errors import UserError
from nas.schema.loader import compose
from nas.schema.nodes import Node, parse_yaml
from nas.schema.problems import Mark
from nas.space.dimension import Range, Value
from nas.space.load import read_space
from nas.space.questions import option_labels
from nas.space.root import Root
from nas.space.space import SearchSpace

_WIDTH = 118  # columns of a comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of a file that asks a question, of one stage or several.

    Attributes:
        mark: where it begins.
        decisions: the names of what it asks.
        is_range: whether it is `{int: [low, high]}`.
    """

    mark: Mark
    decisions: tuple[str, ...]
    is_range: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What a place loses.

    Attributes:
        mark: of the place.
        drop: the values that go.
        why: sentences for comments above it.
    """

    mark: Mark
    drop: tuple[Value, ...]
    why: tuple[str, ...]


def places(root: Root) -> list[Place]:
    """Every place of a space's file that asks something, in the order of the file."""
    found: dict[Mark, dict[str, bool]] = {}
    for decision in root.decisions():
        for name in decision.names():
            found.setdefault(decision.mark, {})[name] = isinstance(decision.dimension, Range)
    return [
        Place(mark=mark, decisions=tuple(names), is_range=all(names.values())) for mark, names in sorted(found.items())
    ]


def narrowed(space: SearchSpace, name: str, narrowings: Sequence[Narrowing], about: Sequence[str]) -> str:
    """The text of a space with fewer values.

    Options that are written as blocks are commented out, others leave their list; why stands in comments above.

    Args:
        space: the space.
        name: what the new one is called.
        narrowings: what goes.
        about: sentences for the comments at the top.

    Raises:
        UserError: the space was not read from a file, or would be no space any more.
    """
    if not space.text:
        raise UserError(f"the space {space.name} was not read from a file, so there is no text to narrow")
    raw, read = compose(space.text), parse_yaml(space.text, name)[0]
    if not isinstance(raw, yaml.MappingNode):
        raise UserError(f"the space {space.name} has no fields to narrow")
    by_place = {_mark(node): node for node in _raw_nodes(raw)}
    nodes = {node.mark: node for node in _read_nodes(read) if node.is_mapping}
    edits = [_top(space.text, about), *_renamed(raw, name)]
    for one in narrowings:
        if one.mark not in by_place or one.mark not in nodes:
            raise UserError(
                f"{space.name}, line {one.mark.line}: this decision is written by an anchor and an alias; write it out "
                "to have it narrowed"
            )
        edits += _drop(space.text, by_place[one.mark], nodes[one.mark], one.drop)
        edits.append(_comment(space.text, by_place[one.mark].start_mark.index, one.why))
    text = space.text
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    read_space(*parse_yaml(text, f"{name}.yaml"))
    return text


@dataclass(frozen=True, slots=True)
class _Edit:
    """What stands between two places of a text becomes another text."""

    start: int
    end: int
    text: str


def _drop(text: str, raw: yaml.MappingNode, node: Node, drop: Collection[Value]) -> Iterator[_Edit]:
    """Take values out of a question."""
    fields = {key.value: value for key, value in raw.value}
    if "int" in fields:
        yield from _shorter(fields["int"], node, drop)
        return
    listed = fields["choice"]
    labels = option_labels(node.mapping["choice"].items)
    stays = [not any(_is_same(label, one) for one in drop) for label in labels]
    if listed.flow_style:
        kept = [_source(text, item) for item, is_kept in zip(listed.value, stays, strict=True) if is_kept]
        before = _source(text, listed)
        yield _Edit(listed.start_mark.index, listed.end_mark.index, f"[{', '.join(kept)}]")
        inside = [part.strip() for part in re.findall(r"(?:^|\s)#(.*)$", before, re.MULTILINE)]
        if inside:
            yield _comment(text, raw.start_mark.index, inside)
        return
    for item, is_kept in zip(listed.value, stays, strict=True):
        if not is_kept:
            yield _commented_out(text, item)


def _shorter(bounds: yaml.SequenceNode, node: Node, drop: Collection[Value]) -> Iterator[_Edit]:
    low, high = node.mapping["int"].plain()
    step = node.mapping["step"].plain() if "step" in node.mapping else 1
    kept = [value for value in range(low, high + 1, step) if value not in drop]
    for item, value in zip(bounds.value, (kept[0], kept[-1]), strict=True):
        yield _Edit(item.start_mark.index, item.end_mark.index, str(value))


def _commented_out(text: str, item: yaml.Node) -> _Edit:
    start = text.rfind("\n", 0, item.start_mark.index) + 1
    lines = text[start : item.end_mark.index].rstrip().splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    marked = [line if line.lstrip().startswith("#") else f"{line[:margin]}# {line[margin:]}" for line in lines]
    return _Edit(start, start + len("\n".join(lines)), "\n".join(marked))


def _comment(text: str, place: int, sentences: Sequence[str]) -> _Edit:
    """Comments above the line of a place, indented like it."""
    start = text.rfind("\n", 0, place) + 1
    line = text[start:].partition("\n")[0]
    margin = line[: len(line) - len(line.lstrip())]
    return _Edit(start, start, "".join(f"{margin}{one}\n" for one in _wrapped(sentences, len(margin))))


def _top(text: str, sentences: Sequence[str]) -> _Edit:
    """Comments after those that the file begins with."""
    start = 0
    for line in text.splitlines(keepends=True):
        if not line.startswith("#"):
            break
        start += len(line)
    return _Edit(start, start, "".join(f"{one}\n" for one in _wrapped(sentences, 0)))


def _wrapped(sentences: Sequence[str], margin: int) -> list[str]:
    return [
        line
        for one in sentences
        for line in textwrap.wrap(one, _WIDTH - margin, initial_indent="# ", subsequent_indent="#   ")
    ]


def _renamed(raw: yaml.MappingNode, name: str) -> Iterator[_Edit]:
    """A file without a name is called like itself."""
    for key, value in raw.value:
        if key.value == "name":
            yield _Edit(value.start_mark.index, value.end_mark.index, name)


def _source(text: str, node: yaml.Node) -> str:
    return text[node.start_mark.index : node.end_mark.index]


def _is_same(label: Value, other: Value) -> bool:
    """True is no 1."""
    return label == other and isinstance(label, bool) == isinstance(other, bool)


def _raw_nodes(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _raw_nodes(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _raw_nodes(value)


def _read_nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in (*node.mapping.values(), *node.items):
        yield from _read_nodes(child)


def _mark(node: yaml.Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)
