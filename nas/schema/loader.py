"""YAML text to nodes of PyYAML, with what we have no need of refused.

Safe by construction: nodes are composed, nothing is constructed, so no tag can build an object; tags, deep nesting and
aliases that repeat without measure are refused. Scalars follow the YAML 1.2 core schema, not 1.1: `1e-6` is a number,
`on` is a word.
"""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

_YAML = "tag:yaml.org,2002:"
_MAX_DEPTH = 50  # the deepest sensible space has about 15 levels; far below Python's own limit
_MOST_REPEATED = 100_000  # values that aliases may add to a file; nine levels of nine aliases would be 387 million


class RefusedError(yaml.MarkedYAMLError):
    """YAML, but none of ours."""


def compose(text: str) -> yaml.Node | None:
    """The root node, None for an empty file. Where an alias stands is a copy of what it names, with its own place.

    Raises:
        yaml.YAMLError: no YAML; RefusedError for what is refused.
    """
    if _FastLoader is not None:
        with suppress(yaml.YAMLError):
            return _composed(_FastLoader(text))
    return _composed(_CoreLoader(text))  # whose messages are the same wherever it runs


def _composed(loader: Any) -> yaml.Node | None:
    try:
        root: yaml.Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return root


def is_merge(key: yaml.ScalarNode) -> bool:
    """Whether a key merges other mappings into its own; quoted it is a word."""
    return bool(key.value == "<<" and not key.style)


def has_anchor(node: yaml.Node) -> bool:
    """Whether a node, or one in it, has a name that an alias can refer to."""
    if getattr(node, "anchor", None) is not None:
        return True
    return any(map(has_anchor, _inside(node)))


def _inside(node: yaml.Node) -> list[Any]:
    """The nodes in a node, keys too."""
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


class _Composer(Composer):
    """Composes nodes and measures them: each knows how many values, and how many levels, it stands for."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._repeated = 0
        self._open: list[str] = []  # anchors whose node is being composed

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[attr-defined]  # of the parser beside it
        problem = self._problem(event)
        if problem is not None:
            raise RefusedError(problem=problem, problem_mark=event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, super().compose_node(parent, index))
        self._open.append(event.anchor)
        self._depth += 1
        node: Any = super().compose_node(parent, index)
        self._depth -= 1
        self._open.pop()
        node.anchor = event.anchor
        inside = _inside(node)
        node.count = 1 + sum(one.count for one in inside)
        node.levels = 1 + max((one.levels for one in inside), default=0)
        return node

    def _alias(self, event: Any, named: Any) -> Any:
        """A copy of the node that an alias names; what is in it is shared."""
        self._repeated += named.count
        if self._repeated > _MOST_REPEATED:
            told = f"aliases repeat more than {_MOST_REPEATED:,} values here; this is no space, study or architecture"
            raise RefusedError(problem=told, problem_mark=event.start_mark)
        if self._depth + named.levels > _MAX_DEPTH:
            raise RefusedError(problem=_TOO_DEEP, problem_mark=event.start_mark)
        node = copy.copy(named)
        node.start_mark, node.anchor = event.start_mark, None
        return node

    def _problem(self, event: Any) -> str | None:
        if isinstance(event, yaml.AliasEvent):
            return f"*{event.anchor} stands inside of what it names" if event.anchor in self._open else None
        if event.tag not in (None, "!"):
            return f"tags such as {event.tag.replace(_YAML, '!!')!r} are not supported; write the plain value"
        return _TOO_DEEP if self._depth >= _MAX_DEPTH else None


class _CoreResolver(BaseResolver):
    """Kinds of scalars; without those of YAML 1.1, since the base has none."""


class _CoreLoader(Reader, Scanner, Parser, _Composer, _CoreResolver):
    """In Python alone."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        _Composer.__init__(self)
        _CoreResolver.__init__(self)


def _fast_loader() -> Any:
    """The same over libyaml's parser, which is ten times as fast, where PyYAML has it; else None."""
    if not yaml.__with_libyaml__:
        return None
    from yaml.cyaml import CParser  # type: ignore[attr-defined]  # missing in its stubs

    class FastLoader(_Composer, CParser, _CoreResolver):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            _Composer.__init__(self)
            _CoreResolver.__init__(self)

    return FastLoader


_TOO_DEEP = f"nested more than {_MAX_DEPTH} levels deep"
_RESOLVERS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9][0-9_]*", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", list("-+.0123456789")),
)
for _kind, _pattern, _first in _RESOLVERS:
    _CoreResolver.add_implicit_resolver(f"{_YAML}{_kind}", re.compile(rf"(?:{_pattern})\Z"), _first)
_FastLoader = _fast_loader()
